// Runs one program of set-up to its end and keeps what it prints, so that set-up stays readable:
// the output is shown when the program fails, and then only its end.

import { spawn } from "node:child_process";

const SHOWN_LINES_MAX = 60;

/**
 * @typedef {object} ProgramResult
 * @property {number} code exit code; 127 when it could not be started, 128 + n after a signal
 * @property {string} output stdout and stderr as they came
 */

/**
 * Runs a program without a shell. Never rejects.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string; env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<ProgramResult>}
 */
export function runProgram(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    /** @type {string[]} */
    const parts = [];
    const keep = (/** @type {string} */ text) => parts.push(text);
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    child.once("error", (cause) => resolve({ code: 127, output: cause.message }));
    child.once("close", (code, signal) => {
      resolve({ code: code ?? signalCode(signal), output: parts.join("") });
    });
  });
}

/**
 * The end of a program's output, each line indented.
 *
 * @param {string} output
 * @returns {string}
 */
export function tailOf(output) {
  const lines = output.trimEnd().split("\n");
  const shown = lines.slice(-SHOWN_LINES_MAX).map((line) => `  | ${line}`);
  return shown.join("\n");
}

/**
 * The exit code that a shell gives to a program which a signal ended.
 *
 * @param {NodeJS.Signals | null} signal
 * @returns {number}
 */
export function signalCode(signal) {
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGTERM: 15 };
  return 128 + (/** @type {Record<string, number>} */ (numbers)[signal ?? ""] ?? 1);
}

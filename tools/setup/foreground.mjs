// Runs the program that set-up was made for, in the foreground: its input and output are ours, each
// signal that we get reaches it once, and its exit code is ours. When we die, or whoever started
// us dies, it is told to end: nothing may stay behind, whichever process of the chain was killed.

import { spawn } from "node:child_process";
import { findProgram } from "./debian.mjs";
import { signalCode } from "./program.mjs";

/** npm passes on a signal that the terminal sent to us as well; both within this time are one. */
const SAME_SIGNAL_MS = 500;
const PARENT_LOOK_MS = 500;

/**
 * Runs a program and waits for its end.
 *
 * @param {object} options
 * @param {string} options.command
 * @param {readonly string[]} options.args
 * @param {string} options.cwd
 * @param {NodeJS.ProcessEnv} options.env
 * @param {() => number} [options.nowMs] the time by which signals are told apart
 * @returns {Promise<number>} its exit code, 128 + n after signal n, 127 when it cannot be started
 */
export function runInForeground(options) {
  const setpriv = findProgram("setpriv");
  // A session of its own: the terminal's Ctrl-C then reaches it through us alone, exactly once.
  const settings = { cwd: options.cwd, env: options.env, stdio: "inherit", detached: true };
  const words = [options.command, ...options.args];
  const [command, ...args] =
    setpriv === undefined ? words : [setpriv, "--pdeathsig", "SIGTERM", "--", ...words];
  const child = spawn(
    /** @type {string} */ (command),
    args,
    /** @type {import("node:child_process").SpawnOptions} */ (settings),
  );
  const { nowMs = () => performance.now() } = options;
  const stopForwarding = forwardSignals((signal) => child.kill(signal), nowMs);
  return new Promise((resolve) => {
    child.once("error", (cause) => {
      stopForwarding();
      process.stderr.write(`${options.command} cannot be started: ${cause.message}\n`);
      resolve(127);
    });
    child.once("close", (code, signal) => {
      stopForwarding();
      resolve(code ?? signalCode(signal));
    });
  });
}

/**
 * @param {(signal: NodeJS.Signals) => void} send
 * @param {() => number} clockMs
 * @returns {() => void} ends it
 */
function forwardSignals(send, clockMs) {
  /** @type {Map<NodeJS.Signals, number>} */
  const lastMs = new Map();
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    const nowMs = clockMs();
    const again = nowMs - (lastMs.get(signal) ?? -Infinity) < SAME_SIGNAL_MS;
    lastMs.set(signal, nowMs);
    if (!again) send(signal);
  };
  /** @type {readonly NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
  for (const signal of signals) process.on(signal, forward);
  // Only below npm: who starts set-up itself may well go away on purpose.
  const parent = process.env["npm_lifecycle_event"] === undefined ? undefined : process.ppid;
  const watch = setInterval(() => {
    if (parent !== undefined && process.ppid !== parent) forward("SIGTERM");
  }, PARENT_LOOK_MS);
  return () => {
    clearInterval(watch);
    for (const signal of signals) process.off(signal, forward);
  };
}

// Runs the programs of s6 and maps how they end to errors of the supervisor. Given the folder they
// lie in. Every call has a deadline. s6's word for "nobody looks after this" is exit code 100.

import { dirname, join } from "node:path";
import { EdgeError, escapeBounded, isEdgeError, runProgram } from "@fairlead/runtime";
import type { SupervisorErrorCode } from "../supervised.ts";

/** s6's programs as calls. */
export interface S6Programs {
  /** Sends commands to a service's supervisor, such as `-u`. */
  svc(serviceDir: string, ...commands: readonly string[]): Promise<void>;
  /** Fields of a service's state, as named by s6-svstat. */
  svstat(serviceDir: string, fields: string): Promise<readonly string[]>;
  /** Whether a supervisor lives for the service. */
  svok(serviceDir: string): Promise<boolean>;
  /**
   * Ends a service and waits until it was down with its finish script ended, be it that somebody
   * starts it again the moment after.
   */
  svcDown(serviceDir: string, timeoutMs: number): Promise<void>;
  /** Sends a command to the scanner of the folder; false when none lives. */
  svscanctl(scanDir: string, command: string): Promise<boolean>;
}

/** They only write a byte or read a file; a machine that needs longer has other trouble. */
const TIMEOUT_MS = 5000;
const OUTPUT_BYTES_MAX = 4096;
/** s6's own deadline passed. */
const CODE_TIMED_OUT = 99;

/** The programs that lie beside `s6Svscan`, an absolute path. */
export function createS6Programs(s6Svscan: string): S6Programs {
  const folder = dirname(s6Svscan);

  async function call(
    name: string,
    args: readonly string[],
    timeoutMs: number = TIMEOUT_MS,
  ): Promise<Ended> {
    try {
      const result = await runProgram({
        command: join(folder, name),
        args,
        timeoutMs,
        maxOutputBytes: OUTPUT_BYTES_MAX,
      });
      if (result.timedOut) throw deadline(`${name} took longer than ${timeoutMs} ms`);
      return { ...result, name };
    } catch (error) {
      if (!isEdgeError(error) || error.code === "DEADLINE") throw error;
      throw s6Error("S6_FAILED", error.message, error);
    }
  }

  async function callService(
    name: string,
    serviceDir: string,
    args: readonly string[],
    timeoutMs?: number,
  ): Promise<Ended> {
    const end = await call(name, [...args, serviceDir], timeoutMs);
    if (end.code !== 0 && isNobody(end)) {
      throw notSupervised(serviceDir);
    }
    if (end.code === CODE_TIMED_OUT) throw deadline(`${name} ${serviceDir} came to no end`);
    if (end.code !== 0) throw failed(end, serviceDir);
    return end;
  }

  return {
    svc: async (serviceDir, ...commands) => {
      await callService("s6-svc", serviceDir, commands);
    },
    svstat: async (serviceDir, fields) => {
      const end = await callService("s6-svstat", serviceDir, ["-o", fields]);
      return end.stdout.trim().split(/\s+/);
    },
    svok: async (serviceDir) => (await call("s6-svok", [serviceDir])).code === 0,
    svcDown: async (serviceDir, timeoutMs) => {
      // It listens before it sends: who only waits afterwards may come when it is up again.
      const args = ["-wD", "-T", String(timeoutMs), "-d"];
      await callService("s6-svc", serviceDir, args, timeoutMs + TIMEOUT_MS);
    },
    svscanctl: async (scanDir, command) => {
      const end = await call("s6-svscanctl", [command, scanDir]);
      if (end.code !== 0 && !isNobody(end)) throw failed(end, scanDir);
      return end.code === 0;
    },
  };
}

/**
 * s6 tells "nobody lives there" and "it never lived there" by text more surely than by code. Where
 * the reader of its pipe ends between opening and writing, the pipe's signal ends the program.
 */
function isNobody(end: Ended): boolean {
  if (end.signal === "SIGPIPE") return true;
  return /not listening|not running|No such file or directory/.test(end.stderr);
}

/** Nobody looks after the service. */
export function notSupervised(serviceDir: string): EdgeError<SupervisorErrorCode> {
  return s6Error("NOT_SUPERVISED", `no supervisor lives for ${serviceDir}`);
}

/** Something of the supervisor's did not happen in time. */
export function deadline(message: string): EdgeError<SupervisorErrorCode> {
  return s6Error("DEADLINE", message);
}

interface Ended {
  readonly name: string;
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function failed(end: Ended, object: string): EdgeError<SupervisorErrorCode> {
  const why = escapeBounded(end.stderr.trim(), 300);
  return s6Error("S6_FAILED", `${end.name} ${object} failed (${end.code ?? "signal"}): ${why}`);
}

/** An error of the supervisor. */
export function s6Error(
  code: SupervisorErrorCode,
  message: string,
  cause?: unknown,
): EdgeError<SupervisorErrorCode> {
  return new EdgeError({ code, message, retryable: true, cause });
}

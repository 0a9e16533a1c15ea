// A program on this machine, outside of any lab, whose words are waited for. Given how it is
// started. It is killed when it is disposed, and every wait has an end and says what it heard.

import { spawn } from "node:child_process";
import { once } from "node:events";

/** A program that runs. */
export interface SpokenProgram extends AsyncDisposable {
  /** Waits for the words in what it says on either output; gives the match. */
  until(words: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  /** Its exit code; null when a signal ended it. */
  readonly exit: Promise<number | null>;
  /** What it said so far. */
  words(): string;
  /** What it said on its standard error so far. */
  complaints(): string;
}

const WAIT_MS_MAX = 30_000;

/** Starts a program. */
export function startSpoken(command: string, args: readonly string[]): SpokenProgram {
  const child = spawn(command, [...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let complaints = "";
  let look: () => void = () => undefined;
  const hear = (text: string): void => {
    said += text;
    look();
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
    hear(text);
  });
  const exit = once(child, "close").then(([code]) => code as number | null);
  return {
    exit,
    words: () => said,
    complaints: () => complaints,
    kill: (signal) => void child.kill(signal),
    until: (words) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void => {
          reject(new Error(`${command} ${why} before ${words}; it said:\n${said}`));
        };
        const timer = setTimeout(() => fail("was silent for too long"), WAIT_MS_MAX);
        look = () => {
          const found = words.exec(said);
          if (found === null) return;
          clearTimeout(timer);
          resolve(found);
        };
        look();
        void exit.then(() => {
          clearTimeout(timer);
          fail("ended");
        });
      }),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

// The place of one program of ours on its host: started, killed, started again. Given how it is
// started. It knows whether the program should be running, so an end that nobody asked for is told.

import type { Host, ProgramOptions, RunningProgram } from "@fairlead/lab";

/** How the program of a seat is started. */
export interface SeatOptions {
  readonly host: Host;
  readonly command: string;
  readonly args: readonly string[];
  /** The line by which it says that it serves. */
  readonly ready: RegExp;
  readonly program?: ProgramOptions;
}

/** A program's place. */
export interface Seat {
  readonly host: Host;
  readonly command: string;
  /** Starts it and waits until it serves. It must not be running. */
  start(): Promise<void>;
  /** Ends it by SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
  /** Ends it by SIGTERM, which must end it well. */
  stop(): Promise<void>;
  /** Stops it where it is, until `resume`; it stands still when this resolves. */
  freeze(): Promise<void>;
  resume(): void;
  /** Says that it may end by itself, as its host is about to crash. */
  abandon(): void;
  /** All lines that it has said, of all its lives; the latest 10 000 of each. */
  lines(): readonly string[];
  /** Waits for a line of the present life. */
  waitForLine(pattern: RegExp, deadlineMs: number): Promise<RegExpExecArray>;
  isRunning(): boolean;
  /** The process id of the present life, as this program sees it. */
  outsidePid(): number;
  /** Why it is not as it should be. Undefined: all is well. */
  trouble(): string | undefined;
}

const START_MS_MAX = 20_000;

/** Makes an empty seat. */
export function createSeat(options: SeatOptions): Seat {
  const { host, command, args, ready } = options;
  const name = `${command.split("/").at(-1)} on ${host.name}`;
  const lives: RunningProgram[] = [];
  let isWanted = false;
  const current = (): RunningProgram => {
    const program = lives.at(-1);
    if (program === undefined) throw new Error(`${name} was never started`);
    return program;
  };
  return {
    host,
    command,
    start: async () => {
      if (lives.at(-1)?.hasExited() === false) throw new Error(`${name} runs already`);
      const program = await host.start(command, args, options.program);
      lives.push(program);
      isWanted = true;
      await program.waitForLine(ready, START_MS_MAX).catch((error: unknown) => {
        throw new Error(`${name} does not serve; it said:\n${program.output()}`, { cause: error });
      });
    },
    kill: async () => {
      isWanted = false;
      current().kill("SIGKILL");
      await current().exited;
    },
    stop: async () => {
      isWanted = false;
      const { code, signal, forced } = await current().stop("SIGTERM", 10_000);
      if (code === 0 && !forced) return;
      throw new Error(`${name} ended badly: code ${code}, signal ${signal}, forced ${forced}`);
    },
    freeze: () => current().freeze(),
    resume: () => current().resume(),
    abandon: () => {
      isWanted = false;
    },
    lines: () => lives.flatMap((program) => program.lines()),
    waitForLine: (pattern, deadlineMs) => current().waitForLine(pattern, deadlineMs),
    isRunning: () => lives.at(-1)?.hasExited() === false,
    outsidePid: () => current().outsidePid,
    trouble: () => {
      const isRunning = lives.at(-1)?.hasExited() === false;
      if (!isWanted || isRunning) return undefined;
      return `${name} has ended by itself, saying:\n${lives.at(-1)?.lines().slice(-10).join("\n")}`;
    },
  };
}

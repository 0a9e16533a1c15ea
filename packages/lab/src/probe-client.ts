// Starts the probing client on a host and gathers what it saw. Given where to connect and how
// often. The program itself is probe/main.ts, a process of its own on the host.

import { fileURLToPath } from "node:url";
import { within } from "./deadline.ts";
import type { Host } from "./host.ts";
import { labError } from "./lab-error.ts";
import { monotonicMs } from "./monotonic.ts";
import { parseTry, type ProbeSummary, summarizeTries, type Try } from "./probe-tries.ts";

/** What to probe. */
export interface ProbeOptions {
  readonly address: string;
  readonly port: number;
  /** TCP asks a member over HTTP/1.0; UDP sends a number and waits for its echo. Default: tcp. */
  readonly protocol?: "tcp" | "udp";
  /** Milliseconds from one try to the next. Default: 5. */
  readonly everyMs?: number;
  /**
   * After this a try counts as failed, in ms. Later tries do not wait for it. Default: 900, which a
   * busy machine keeps, and a lost SYN, sent again after a second (RFC 6298), does not.
   */
  readonly timeoutMs?: number;
  /** The client ends by itself after this. Default: 60 000; at most 600 000. */
  readonly durationMs?: number;
}

/** The settings as the program gets them. */
export interface ProbeCommand extends Required<ProbeOptions> {
  /** Tries under way at once; more are skipped. */
  readonly inFlightMax: number;
}

/** What the client saw. */
export interface ProbeResult extends ProbeSummary {
  /**
   * The longest time in which the client itself did not run. A silence can be shorter than told by
   * about this much.
   */
  readonly longestPauseMs: number;
  readonly allTries: readonly Try[];
}

/** A client that is probing. */
export interface Probe extends AsyncDisposable {
  /** All tries that have ended so far. */
  tries(): readonly Try[];
  /** Waits for an answer that began at or after `sinceMs` (default: now) on the lab's clock. */
  waitForAnswer(deadlineMs: number, sinceMs?: number): Promise<Try>;
  /** Ends the client and adds up what it saw. Tries under way are left out. */
  stop(): Promise<ProbeResult>;
}

const EVERY_MS_DEFAULT = 5;
const TIMEOUT_MS_DEFAULT = 900;
const DURATION_MS_DEFAULT = 60_000;
const DURATION_MS_MAX = 600_000;
const IN_FLIGHT_MAX = 1_000;
const START_MS_MAX = 10_000;

/** Starts a client on a host and waits until it runs. */
export async function startProbe(host: Host, options: ProbeOptions): Promise<Probe> {
  const command = probeCommand(options);
  const tries: Try[] = [];
  const waiters = new Set<(one: Try) => void>();
  let longestPauseMs = 0;
  const onLine = (line: string): void => {
    longestPauseMs = parsePause(line) ?? longestPauseMs;
    const one = parseTry(line);
    if (one === undefined) return;
    tries.push(one);
    for (const waiter of waiters) waiter(one);
  };
  const main = fileURLToPath(new URL("./probe/main.ts", import.meta.url));
  const program = await host.start(process.execPath, [main, JSON.stringify(command)], { onLine });
  await program.waitForLine(/^started$/, START_MS_MAX);
  const stop = async (): Promise<ProbeResult> => {
    program.endInput();
    await within(program.exited, START_MS_MAX, "end of the probe").catch(() => program.stop());
    return { ...summarizeTries(tries), longestPauseMs, allTries: tries };
  };
  return {
    tries: () => tries,
    waitForAnswer: async (deadlineMs, sinceMs = monotonicMs()) => {
      const { promise, resolve } = Promise.withResolvers<Try>();
      const look = (one: Try): void => {
        if (one.member !== undefined && one.atMs >= sinceMs) resolve(one);
      };
      for (const one of tries) look(one);
      waiters.add(look);
      try {
        return await within(promise, deadlineMs, `an answer of ${options.address}`);
      } finally {
        waiters.delete(look);
      }
    },
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

function probeCommand(options: ProbeOptions): ProbeCommand {
  const durationMs = options.durationMs ?? DURATION_MS_DEFAULT;
  if (durationMs > DURATION_MS_MAX) {
    throw labError("NOT_POSSIBLE", `a probe lasts at most ${DURATION_MS_MAX} ms`);
  }
  return {
    address: options.address,
    port: options.port,
    protocol: options.protocol ?? "tcp",
    everyMs: options.everyMs ?? EVERY_MS_DEFAULT,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS_DEFAULT,
    durationMs,
    inFlightMax: IN_FLIGHT_MAX,
  };
}

function parsePause(line: string): number | undefined {
  if (!line.startsWith("{")) return undefined;
  return (JSON.parse(line) as { readonly longestPauseMs?: number }).longestPauseMs;
}

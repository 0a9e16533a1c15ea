// Hears from `nft monitor` which tables changed, so that their owners see what others do to them.
// One long-running process, started again with growing waits when it ends. An owner signs its
// transactions by a number in a set of its table; the monitor hands the number over and judges
// nothing. Ids of processes would tell less: in a container they are others.

import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { REVISION_SET } from "@fairlead/render";
import { type Clock, type Logger, type Timer, createBackoff } from "@fairlead/runtime";

import { listensTo, NFTABLES_GROUP } from "../netlink-groups.ts";

/** What the monitor is made of. */
export interface NftMonitorOptions {
  /** `nft`, an absolute path. */
  readonly program: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Whether the process hears of changes by now. Default: as the kernel has it. */
  readonly isListening?: (pid: number) => boolean;
}

/** One transaction that changed a table; or more, when they could not be told apart. */
export interface TableChange {
  /** What it put into the set `REVISION_SET` of the table; undefined: nothing, or it is unknown. */
  readonly revision: number | undefined;
  /** Events were lost, be they of this table or of another. Default: none were. */
  readonly isLost?: boolean;
  /** Nobody listened before: anything may have happened to it. Default: somebody did. */
  readonly isUnwatched?: boolean;
}

/** Who changes nftables' tables. */
export interface NftMonitor extends Disposable {
  /**
   * Calls for every transaction that touches the table of family inet, by whomever; also when
   * something may have happened to it while nobody listened.
   */
  onChange(table: string, listener: (change: TableChange) => void): Disposable;
}

/** The program says nothing when it has begun to listen: it is looked for so often, in ms. */
const LOOK_MS = 50;
/** What is not seen to listen by then is looked for no more, in ms: it may do so unseen. */
const LISTENING_MS_MAX = 10_000;
const RETRY = { baseMs: 1000, maxMs: 60_000 };

/** Starts to listen. */
export function createNftMonitor(options: NftMonitorOptions): NftMonitor {
  return new Monitor(options);
}

class Monitor implements NftMonitor {
  readonly #options: NftMonitorOptions;
  readonly #listeners = new Map<string, Set<(change: TableChange) => void>>();
  readonly #backoff;
  /** Of the transaction whose lines come in: tables with their signature. */
  #touched = new Map<string, number | undefined>();
  #child: ChildProcess | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: NftMonitorOptions) {
    this.#options = options;
    this.#backoff = createBackoff({ ...RETRY, random: options.random });
    this.#start();
  }

  onChange(table: string, listener: (change: TableChange) => void): Disposable {
    const listeners = this.#listeners.get(table) ?? new Set();
    this.#listeners.set(table, listeners.add(listener));
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#child?.kill();
  }

  #start(): void {
    const { program } = this.#options;
    const stdio: StdioOptions = ["ignore", "pipe", "ignore"];
    // Of a group of its own: a Ctrl-C at the agent is not for it, as the agent still writes rules.
    const child: ChildProcess = spawn(program, ["monitor"], { stdio, detached: true });
    this.#child = child;
    this.#touched = new Map();
    const { stdout } = child;
    if (stdout) createInterface({ input: stdout }).on("line", (line) => this.#read(line));
    child.once("error", () => this.#again(child));
    child.once("exit", () => this.#again(child));
    this.#awaitListening(child, this.#options.clock.nowMs() + LISTENING_MS_MAX);
  }

  #awaitListening(child: ChildProcess, untilMs: number): void {
    const { clock, isListening = isMonitoring } = this.#options;
    this.#timer = clock.setTimer(LOOK_MS, () => {
      const isHere = child.pid !== undefined && isListening(child.pid);
      if (!isHere && clock.nowMs() < untilMs) return this.#awaitListening(child, untilMs);
      this.#backoff.reset();
      this.#anything({ isUnwatched: true });
    });
  }

  #again(child: ChildProcess): void {
    if (this.#isStopped || child !== this.#child) return;
    this.#child = undefined;
    this.#timer?.cancel();
    if (this.#backoff.attempts() === 0) {
      this.#options.logger.warn({}, "nft monitor ended; it is started again");
    }
    this.#timer = this.#options.clock.setTimer(this.#backoff.nextMs(), () => this.#start());
  }

  #read(line: string): void {
    if (line.startsWith("#")) {
      // Too many events at once: some are lost.
      if (!line.startsWith("# new generation")) this.#anything({ isLost: true });
      const touched = this.#touched;
      this.#touched = new Map();
      for (const [table, revision] of touched) this.#tell(table, { revision });
      return;
    }
    const change = changedTable(line);
    if (change === undefined) return;
    this.#touched.set(change.table, change.revision ?? this.#touched.get(change.table));
  }

  #anything(how: Omit<TableChange, "revision">): void {
    for (const table of this.#listeners.keys()) this.#tell(table, { ...how, revision: undefined });
  }

  #tell(table: string, change: TableChange): void {
    for (const listener of this.#listeners.get(table) ?? []) listener(change);
  }
}

function isMonitoring(pid: number): boolean {
  return listensTo(NFTABLES_GROUP, pid);
}

const CHANGE = /^[a-z]+ (?<kind>[a-z]+) inet (?<table>\S+)(?: (?<rest>.*))?$/;
const SIGNATURE = new RegExp(`^${REVISION_SET} \\{ (?<number>0x[0-9a-f]+|[0-9]+) \\}$`);

/**
 * The table of family inet that a line of the monitor is about, and what the line signs it with;
 * undefined for any other line.
 */
export function changedTable(
  line: string,
): { readonly table: string; readonly revision: number | undefined } | undefined {
  const { kind, table, rest } = CHANGE.exec(line)?.groups ?? {};
  if (table === undefined) return undefined;
  const isAdded = line.startsWith("add ") && kind === "element";
  const number = isAdded ? SIGNATURE.exec(rest ?? "")?.groups?.["number"] : undefined;
  return { table, revision: number === undefined ? undefined : Number(number) };
}

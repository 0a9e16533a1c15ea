// keepalived under its supervisor: checks a file, counts its addresses, swaps it in, reloads and
// waits for keepalived's word that it took it. Given the supervised service and the kernel. One
// apply at a time. What it may add to the kernel is written down for the sweep before it can.

import { parseAddress, parseDeviceName, type Remark } from "@fairlead/model";
import { type Clock, EdgeError, runProgram, createTurns, type Turns } from "@fairlead/runtime";
import { type ConfigFile, createConfigFile } from "../config-file.ts";
import type { DataPlaneLayout } from "../data-plane-layout.ts";
import type { ApplyOutcome, CarriedVip, KeepalivedDaemon, Kernel } from "../ports.ts";
import type { LogMark, ServiceState, SupervisedService } from "../supervised.ts";
import {
  type FileAddress,
  type ReadInstances,
  addressesOf,
  createInstanceReader,
  sweepCommands,
} from "./file-addresses.ts";
import { fileProblem, keepalivedRefusal, notTaken } from "./refusal.ts";
import { firstReload } from "./two-reloads.ts";
import { sinceReload, verdictOf } from "./words.ts";

/** What the daemon is made of. */
export interface KeepalivedDaemonOptions {
  readonly layout: DataPlaneLayout;
  readonly service: SupervisedService;
  /** Read to see that an address which changes lanes is gone between two reloads. */
  readonly kernel: Pick<Kernel, "view">;
  /** keepalived itself, an absolute path. */
  readonly program: string;
  readonly clock: Clock;
}

/** Why keepalived could not be steered. */
export type KeepalivedErrorCode =
  /** An address that changes lanes stays in the kernel after it was taken out. */
  "STUCK_ADDRESS";

/** keepalived took 4 000 addresses in 100 ms; a machine under load gets much more. */
const TAKEN_MS_MAX = 5000;
/** A new start may have to end what the last one left first. */
const STARTED_MS_MAX = 8000;
const GONE_MS_MAX = 2000;
const POLL_MS = 10;
/** A look takes a state that is no older than this. */
const RECENT_MS = 250;
/** An unchanged file needs no fresher state than this: the agent looks every second. */
const UNCHANGED_MS = 1500;
const CHECK_MS_MAX = 15_000;
const WORDS_BYTES_MAX = 16_384;
/** A comment that makes what was taken another text than any file, and means the same. */
const UNSURE = "# It may have taken more than this.\n";

/** Makes the daemon's adapter. Nothing is touched before `apply`. */
export function createKeepalivedDaemon(options: KeepalivedDaemonOptions): KeepalivedDaemon {
  return new Keepalived(options);
}

/** A text, and why keepalived's own checker refuses it. */
interface Checked {
  readonly text: string;
  readonly refused: Remark | undefined;
}

/** A text that was swapped in. */
interface Handed {
  readonly text: string;
  /** From before the swap: no word of whoever reads it is missed. */
  readonly since: LogMark;
  /** Which process ran when it was there already; undefined where none did. */
  readonly pid: number | undefined;
  readonly ms: number;
}

class Keepalived implements KeepalivedDaemon {
  readonly #options: KeepalivedDaemonOptions;
  readonly #service: SupervisedService;
  readonly #clock: Clock;
  readonly #file: ConfigFile;
  readonly #taken: ConfigFile;
  readonly #sweep: ConfigFile;
  readonly #inTurn: Turns = createTurns();
  readonly #read: ReadInstances = createInstanceReader();
  /** Undefined: nothing was, or its check could not be made. */
  #expected: Promise<Checked | undefined> = Promise.resolve(undefined);

  constructor(options: KeepalivedDaemonOptions) {
    const { config, candidate, taken, sweep } = options.layout.keepalived;
    this.#options = options;
    this.#service = options.service;
    this.#clock = options.clock;
    this.#file = createConfigFile(config, candidate);
    this.#taken = createConfigFile(taken, `${taken}.new`);
    this.#sweep = createConfigFile(sweep, `${sweep}.new`);
  }

  apply(text: string, vipCount: number, rereads = false): Promise<ApplyOutcome> {
    return this.#inTurn(() => this.#apply(text, vipCount, rereads));
  }

  expect(text: string): void {
    const checked = this.#inTurn(async () => {
      if (await this.#isInForce(text)) return undefined;
      return { text, refused: await this.#check(text) };
    });
    // Who applies checks again and tells.
    this.#expected = checked.catch(() => undefined);
  }

  async alive(): Promise<boolean> {
    return (await this.#service.recentState(RECENT_MS)).up;
  }

  async carries(): Promise<readonly CarriedVip[]> {
    // A stopped one gave its addresses up; whoever has one of them now is somebody else.
    if (!(await this.alive())) return [];
    const texts = await Promise.all([this.#file.read(), this.#taken.read()]);
    const vips = texts.flatMap((text) => this.#read(text ?? "").flatMap((one) => one.vips));
    return [...new Map(vips.map((vip) => [vip.address, vip])).values()].flatMap((vip) => {
      const address = parseAddress(vip.address);
      const link = parseDeviceName(vip.device);
      return address === undefined || link === undefined ? [] : [{ address, link }];
    });
  }

  stop(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#service.stop();
      // It gave its addresses up itself: whoever adds one of them now is somebody else. Nor may the
      // next file have them swept, as what it follows.
      await this.#sweep.remove();
      await this.#taken.remove();
      await this.#file.remove();
    });
  }

  async #apply(text: string, vipCount: number, rereads: boolean): Promise<ApplyOutcome> {
    const problem = fileProblem(this.#read(text), vipCount);
    if (problem !== undefined) return { kind: "refused", remark: problem };
    const [file, taken] = await Promise.all([this.#file.read(), this.#taken.read()]);
    // Of one that died a moment ago nothing is asked here: its supervisor starts it with this file.
    const isLately = async (): Promise<boolean> =>
      (await this.#service.recentState(UNCHANGED_MS)).up;
    if (!rereads && file === text && taken === text && (await isLately())) {
      return { kind: "applied", reloaded: false };
    }
    // An agent may have been killed between two steps: the daemon runs what it said it took, or by
    // now the file.
    const before = [taken?.replace(UNSURE, ""), file].filter((one) => one !== undefined);
    const refused = (await this.#checkOnce(text)) ?? (await this.#loadInOrder(before, text));
    if (refused !== undefined) return { kind: "refused", remark: refused };
    return { kind: "applied", reloaded: true };
  }

  async #isInForce(text: string): Promise<boolean> {
    const [file, taken] = await Promise.all([this.#file.read(), this.#taken.read()]);
    return file === text && taken === text;
  }

  /** What was checked because it was expected, need not be again. */
  async #checkOnce(text: string): Promise<Remark | undefined> {
    const expected = await this.#expected;
    this.#expected = Promise.resolve(undefined);
    return expected?.text === text ? expected.refused : await this.#check(text);
  }

  async #check(text: string): Promise<Remark | undefined> {
    await this.#file.propose(text);
    const result = await runProgram({
      command: this.#options.program,
      args: ["-t", "-f", this.#options.layout.keepalived.candidate],
      timeoutMs: CHECK_MS_MAX,
      maxOutputBytes: WORDS_BYTES_MAX,
    });
    await this.#file.withdraw();
    if (result.code === 0) return undefined;
    const otherwise = result.timedOut ? "its check took too long" : "its check failed";
    return keepalivedRefusal(result.stderr, text, otherwise);
  }

  /** Hands a checked text over, in two steps where VIPs change lanes. Undefined: it was taken. */
  async #loadInOrder(before: readonly string[], text: string): Promise<Remark | undefined> {
    // Not before the check: meanwhile the supervisor may have started one that was dead.
    const ran = await this.#service.state();
    // Whatever a killed keepalived can leave: what it had and what it is about to have.
    await this.#writeSweep(...before, text);
    const first = ran.up ? firstReload(before, text, this.#read) : undefined;
    let refused: Remark | undefined;
    if (first !== undefined) {
      refused = await this.#load(first.text, ran);
      if (refused === undefined) await this.#waitUntilGone(first.left);
    }
    refused ??= await this.#load(text, ran);
    if (refused === undefined) await this.#writeSweep(text);
    else await this.#putBack(before[0] ?? "", ran);
    return refused;
  }

  /** `ran`: what ran a moment ago. */
  async #load(text: string, ran: ServiceState): Promise<Remark | undefined> {
    const since = await this.#service.log.mark();
    await this.#file.swap(text);
    // Its supervisor starts a dead one when it likes: what runs by now may have read the file
    // before. Nothing that starts later can.
    const { up, pid } = await this.#service.state();
    if (up) await this.#service.reload();
    else await this.#service.start();
    const ms = up && pid === ran.pid ? TAKEN_MS_MAX : STARTED_MS_MAX;
    if (!(await this.#isTaken({ text, since, pid, ms }))) {
      return notTaken(await this.#service.log.since(since), ms);
    }
    await this.#taken.swap(text);
    return undefined;
  }

  /**
   * keepalived keeps no id that could be asked for: its own words in its log are the proof. Those
   * of the process that was there at the swap count from the signal on: its start may have been
   * with the file before. A signal that it cannot take yet ends it, and the next one has this file.
   */
  async #isTaken({ text, since, pid, ms }: Handed): Promise<boolean> {
    const isEmpty = this.#read(text).length === 0;
    const endMs = this.#clock.nowMs() + ms;
    while (this.#clock.nowMs() < endMs) {
      const lines = await this.#service.log.since(since);
      const verdict = verdictOf(lines, isEmpty);
      if (verdict === "refused") return false;
      if (verdict === "taken") {
        const now = await this.#service.state();
        const isOther = now.pid !== pid;
        if (isOther || verdictOf(sinceReload(lines), isEmpty) === "taken") return now.up;
      }
      await this.#clock.sleep(POLL_MS);
    }
    return false;
  }

  async #waitUntilGone(left: readonly FileAddress[]): Promise<void> {
    const addresses = new Set(left.map((entry) => entry.address));
    const endMs = this.#clock.nowMs() + GONE_MS_MAX;
    for (;;) {
      const { addresses: present } = await this.#options.kernel.view();
      const stuck = present.find((entry) => addresses.has(entry.address));
      if (stuck === undefined) return;
      if (this.#clock.nowMs() >= endMs) throw stuckAddress(stuck.address);
      await this.#clock.sleep(POLL_MS);
    }
  }

  /** keepalived keeps its old configuration when it does not take a file; so must the disk. */
  async #putBack(before: string, ran: ServiceState): Promise<void> {
    if (before === "") {
      await this.#taken.remove();
      // Nothing ever ran: a file that cannot start must not be tried every second.
      if (!ran.up) await this.#service.stop();
      await this.#file.remove();
      return;
    }
    // It may have taken half of a move between lanes, or be late: only a reload makes it sure, and
    // its word for that must not be taken for the answer to the next one. Where it was dead before,
    // the supervisor goes on trying with the file that was good once. Whoever comes after a kill in
    // the middle knows what runs by what was taken, and reloads, as it is not the file.
    await this.#taken.swap(`${UNSURE}${before}`);
    await this.#load(before, ran);
  }

  async #writeSweep(...texts: readonly string[]): Promise<void> {
    const addresses = texts.flatMap((text) => addressesOf(this.#read(text)));
    await this.#sweep.swap(sweepCommands(addresses));
  }
}

function stuckAddress(address: string): EdgeError<KeepalivedErrorCode> {
  return new EdgeError({
    code: "STUCK_ADDRESS",
    message: `${address} changes lanes and is still there ${GONE_MS_MAX} ms after it was taken out`,
    retryable: true,
  });
}

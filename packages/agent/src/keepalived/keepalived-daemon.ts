// keepalived under its supervisor: checks a file, counts its addresses, swaps it in, reloads and
// waits for keepalived's word that it took it. Given the supervised service and the kernel. One
// apply at a time. What it may add to the kernel is written down for the sweep before it can.

import { createHash } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { type Clock, EdgeError, describeError, runProgram } from "@fairlead/runtime";
import type { DataPlaneLayout } from "../data-plane-layout.ts";
import type { ApplyOutcome, KeepalivedDaemon, Kernel } from "../ports.ts";
import type { LogMark, SupervisedService } from "../supervised.ts";
import {
  type FileAddress,
  type FileInstance,
  addressesOf,
  readInstances,
  sweepCommands,
} from "./file-addresses.ts";
import { fileProblem, keepalivedRefusal, notTaken } from "./refusal.ts";
import { firstReload } from "./two-reloads.ts";

/** What the daemon is made of. */
export interface KeepalivedDaemonOptions {
  readonly layout: DataPlaneLayout;
  readonly service: SupervisedService;
  /** Read to see that an address which changes instances is gone between two reloads. */
  readonly kernel: Pick<Kernel, "view">;
  /** keepalived itself, an absolute path. */
  readonly program: string;
  readonly clock: Clock;
}

/** keepalived took 4 000 addresses in 100 ms; a machine under load gets much more. */
const TAKEN_MS_MAX = 5000;
/** A new start may have to end what the last one left first. */
const STARTED_MS_MAX = 8000;
const GONE_MS_MAX = 2000;
const POLL_MS = 10;
const CHECK_MS_MAX = 15_000;
const WORDS_BYTES_MAX = 16_384;

/** Makes the daemon's adapter. Nothing is touched before `apply`. */
export function createKeepalivedDaemon(options: KeepalivedDaemonOptions): KeepalivedDaemon {
  const { layout, service, kernel, clock } = options;
  const { config, candidate, sweep } = layout.keepalived;
  let last: Promise<unknown> = Promise.resolve();
  /** The text that keepalived said it took; undefined when that is not known. */
  let taken: string | undefined;

  async function check(text: string): Promise<ApplyOutcome | undefined> {
    await writeFile(candidate, text, { mode: 0o600 });
    const result = await runProgram({
      command: options.program,
      args: ["-t", "-f", candidate],
      timeoutMs: CHECK_MS_MAX,
      maxOutputBytes: WORDS_BYTES_MAX,
    });
    if (result.code === 0) return undefined;
    await rm(candidate, { force: true });
    const otherwise = result.timedOut ? "its check took too long" : "its check failed";
    return { kind: "refused", remark: keepalivedRefusal(result.stderr, otherwise) };
  }

  /** Swaps a checked text in and makes keepalived read it. Undefined when it said so. */
  async function load(text: string, up: boolean): Promise<ApplyOutcome | undefined> {
    await writeFile(candidate, text, { mode: 0o600 });
    const since = await service.log.mark();
    await rename(candidate, config);
    if (up) await service.reload();
    else await service.start();
    const ms = up ? TAKEN_MS_MAX : STARTED_MS_MAX;
    if (await isTaken(since, readInstances(text), ms)) {
      taken = text;
      await writeFile(layout.keepalived.taken, digest(text), { mode: 0o600 });
      return undefined;
    }
    return { kind: "refused", remark: notTaken(await service.log.since(since), ms) };
  }

  async function isTaken(
    since: LogMark,
    instances: readonly FileInstance[],
    ms: number,
  ): Promise<boolean> {
    const endMs = clock.nowMs() + ms;
    while (clock.nowMs() < endMs) {
      const lines = await service.log.since(since);
      if (lines.some((line) => REFUSED.test(line))) return false;
      const said = instances.length > 0 ? TAKEN : TAKEN_EMPTY;
      if (lines.some((line) => said.test(line))) return (await service.state()).up;
      await clock.sleep(POLL_MS);
    }
    return false;
  }

  async function gone(left: readonly FileAddress[]): Promise<boolean> {
    const addresses = new Set(left.map((entry) => entry.address));
    const endMs = clock.nowMs() + GONE_MS_MAX;
    while (clock.nowMs() < endMs) {
      const view = await kernel.view();
      if (!view.addresses.some((entry) => addresses.has(entry.address))) return true;
      await clock.sleep(POLL_MS);
    }
    return false;
  }

  /** Whatever a killed keepalived can leave: what it had and what it is about to have. */
  async function writeSweep(...texts: readonly string[]): Promise<void> {
    const addresses = texts.flatMap((text) => addressesOf(readInstances(text)));
    await writeFile(`${sweep}.new`, sweepCommands(addresses), { mode: 0o600 });
    await rename(`${sweep}.new`, sweep);
  }

  async function loadInOrder(
    before: string,
    text: string,
    up: boolean,
  ): Promise<ApplyOutcome | undefined> {
    const first = up ? firstReload(before, text) : undefined;
    if (first !== undefined) {
      const refused = await load(first.text, up);
      if (refused !== undefined) return refused;
      if (!(await gone(first.left))) {
        throw edgeError("addresses that change lanes are still there", undefined);
      }
    }
    return load(text, up);
  }

  async function applyNow(text: string, vipCount: number): Promise<ApplyOutcome> {
    const problem = fileProblem(readInstances(text), vipCount);
    if (problem !== undefined) return { kind: "refused", remark: problem };
    const before = (await readText(config)) ?? "";
    const { up } = await service.state();
    // After a restart of the agent the note tells whether the daemon took the file on disk: an
    // agent may have been killed between swap and signal.
    if ((await readText(layout.keepalived.taken)) === digest(before)) taken ??= before;
    if (up && before === text && taken === text) return { kind: "applied", reloaded: false };
    const unchecked = await check(text);
    if (unchecked !== undefined) return unchecked;
    await writeSweep(before, text);
    const refused = await loadInOrder(before, text, up);
    if (refused !== undefined) {
      await putBack(before, up);
      return refused;
    }
    await writeSweep(text);
    return { kind: "applied", reloaded: true };
  }

  /** keepalived keeps its old configuration when it does not take a file; so must the disk. */
  async function putBack(before: string, up: boolean): Promise<void> {
    taken = undefined;
    if (!up) await service.stop();
    if (before === "") {
      await rm(config, { force: true });
      return;
    }
    await writeFile(candidate, before, { mode: 0o600 });
    await rename(candidate, config);
    if (!up) return;
    // It may have taken half of a move between lanes, or be late: only a reload makes it sure, and
    // its word must not be taken for the answer to the next one.
    const since = await service.log.mark();
    await service.reload();
    await isTaken(since, readInstances(before), TAKEN_MS_MAX);
  }

  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = last.then(run, run);
    last = turn.catch(() => undefined);
    return turn;
  }

  return {
    apply: (text, vipCount) => inTurn(() => mapped(applyNow(text, vipCount))),
    alive: async () => (await service.state()).up,
    stop: () =>
      inTurn(async () => {
        await service.stop();
        taken = undefined;
        // It gave its addresses up itself: whoever adds one of them now is somebody else.
        await mapped(writeSweep());
      }),
  };
}

/** What keepalived says when it took a file with instances; at a first start or a later one. */
const TAKEN = /^(?:.*\d{4}: )?(?:Startup complete|Reload complete)$/;
/** Without an instance it has no child that could say more. */
const TAKEN_EMPTY = /(?:Startup complete|Reload complete|has no configuration to run|Reloading)/;
const REFUSED = /(?:New config failed validation|daemon is already running)/;

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // No file yet, or one that cannot be read: written anew either way.
    return undefined;
  }
}

async function mapped<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof EdgeError) throw error;
    throw edgeError(`cannot write keepalived's file: ${describeError(error)}`, error);
  }
}

/** Why keepalived could not be steered at all. */
export type KeepalivedErrorCode = "KEEPALIVED";

function edgeError(message: string, cause: unknown): EdgeError<KeepalivedErrorCode> {
  return new EdgeError({ code: "KEEPALIVED", message, retryable: true, cause });
}

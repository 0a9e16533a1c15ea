// `fairlead-agent stop --withdraw`: gives the addresses to the successors first, and ends what
// clients had there, then ends the agent, its daemons and their supervisor. Works on files and the
// kernel alone, so also when the agent is dead.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { Address, AgentName, LaneResource } from "@fairlead/model";
import { type Clock, describeError, EdgeError, type Logger } from "@fairlead/runtime";

import { livingProcess } from "./pid-file.ts";
import type { DataPlaneLayout } from "./data-plane-layout.ts";
import { markEnded } from "./ended-mark.ts";
import { firstFew } from "./first-few.ts";
import { leaveAddresses } from "./leave-addresses.ts";
import { lookAt } from "./liveness/process-look.ts";
import { laneFiles, type TrackFiles, writeTrack } from "./liveness/track-files.ts";
import { muteWith } from "./mute-lanes.ts";
import type {
  ClientConnections,
  DataPlaneSupervisor,
  InputGuard,
  Kernel,
  Ledger,
  LedgerEntry,
} from "./ports.ts";
import type { StopPlaces } from "./stop-places.ts";
import { markWithdrawal } from "./withdrawal-mark.ts";

/** keepalived looks at its track files at once; the addresses were elsewhere after 48 ms. */
const WITHDRAW_MS_MAX = 2000;
const POLL_MS = 10;
/** Longest wait for the agent's own end, in ms. */
const AGENT_END_MS_MAX = 10_000;

/** What withdrawing needs. */
export interface WithdrawOptions {
  readonly layout: DataPlaneLayout;
  readonly places: Pick<StopPlaces, "pidFile" | "isEnded">;
  readonly kernel: Kernel;
  readonly ledger: Ledger;
  readonly supervisor: DataPlaneSupervisor;
  readonly guard: Pick<InputGuard, "remove">;
  /** Undefined: the kernel ends no sockets. */
  readonly connections?: Pick<ClientConnections, "end"> | undefined;
  /** Takes tables and routes of the data plane off the host. */
  readonly forgetTables: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Gives up every lane and waits until this host's kernel has none of our addresses. */
export async function giveUpLanes(
  options: Pick<WithdrawOptions, "layout" | "kernel" | "ledger" | "clock" | "log">,
): Promise<void> {
  const { layout, kernel, ledger, clock, log } = options;
  const entries = (await ledger.load()).filter((entry) => !entry.foreign && entry.added !== true);
  const ours = new Set(entries.map((entry) => entry.address));
  for (const file of await trackFiles(layout)) await writeTrack(file, true);
  const endMs = clock.nowMs() + WITHDRAW_MS_MAX;
  for (;;) {
    const { addresses } = await kernel.view();
    const left = addresses.filter(({ address }) => ours.has(address));
    if (left.length === 0) return;
    if (clock.nowMs() >= endMs) {
      log.warn({ addresses: left.length }, "keepalived did not give every address up in time");
      return;
    }
    await clock.sleep(POLL_MS);
  }
}

/** What taking lanes back needs. */
export interface TakeBackOptions {
  readonly layout: DataPlaneLayout;
  readonly agent: AgentName;
  readonly kernel: Pick<Kernel, "view">;
  /** Those of the last plan. */
  readonly lanes: readonly LaneResource[];
  readonly files: Pick<TrackFiles, "mute">;
}

/**
 * Lets this host hold lanes again that it gave up before. A withdrawal is a word about one life of
 * the agent: without this, whoever starts it anew would have a host that never holds anything. What
 * the last plan wants given up stays so, and so does a lane in which nobody hears this host.
 */
export async function takeLanesBack(options: TakeBackOptions): Promise<void> {
  const { layout, agent, kernel, lanes, files } = options;
  const isMute = muteWith(agent, (await kernel.view()).addresses);
  // Said to their writer too, or the first wish of the plan would bring them back.
  await files.mute(lanes, isMute);
  const stay = laneFiles(
    layout,
    lanes.filter((lane) => lane.yields === true || isMute(lane)),
  );
  for (const file of await trackFiles(layout)) {
    if (!stay.has(file)) await writeTrack(file, false);
  }
}

/** Why a host is not free of what was its. */
export type WithdrawErrorCode = "HELD";

/**
 * Ends everything of this run directory: lanes given up first where `withdraws` is set. Then it
 * rejects with EdgeError<WithdrawErrorCode> while an address of ours is on the host.
 */
export async function stopAgent(
  options: WithdrawOptions & { readonly withdraws: boolean },
): Promise<void> {
  const { places, withdraws, log, layout } = options;
  if (withdraws && places.isEnded) {
    log.info({ runDir: layout.runDir }, "all of it was ended before");
    return await assertNoneLeft(options);
  }
  if (withdraws) {
    await giveUpLanes(options);
    await endConnections(options, await ownAddresses(options, (entry) => entry.added !== true));
  }
  const { pidFile } = places;
  const pid = await livingProcess(pidFile);
  if (pid === undefined) log.info({ pidFile }, "no agent runs there");
  else {
    await using _ = withdraws ? await markOrWarn(options) : undefined;
    await endProcess(options.clock, pid);
    log.info({ pid }, "ended the agent");
  }
  if (!withdraws) return;
  // A living agent would put them back.
  const own = await ownAddresses(options);
  await leaveAddresses({ ...options, policy: "remove" });
  // While nginx lives: it would close them with words that no longer leave the host.
  await endConnections(options, own);
  await options.supervisor.end();
  await options.guard.remove();
  await options.forgetTables();
  await assertNoneLeft(options);
  await markEnded(layout.runDir);
}

/** Addresses of ours that the host has, or had, as the ledger says. */
async function ownAddresses(
  { ledger }: Pick<WithdrawOptions, "ledger">,
  isMeant: (entry: LedgerEntry) => boolean = () => true,
): Promise<readonly Address[]> {
  const entries = await ledger.load();
  return entries.filter((one) => !one.foreign && isMeant(one)).map(({ address }) => address);
}

/**
 * Clients of addresses that are gone hear of it: who only waits would hear nothing. Of what stays
 * on the host they go on. Never rejects: the host is to be freed all the same.
 */
async function endConnections(
  { connections, log }: Pick<WithdrawOptions, "connections" | "log">,
  addresses: readonly Address[],
): Promise<void> {
  if (connections === undefined || addresses.length === 0) return;
  try {
    const count = await connections.end(addresses);
    const what = "reset connections to addresses that left this host";
    if (count > 0) log.info({ count, addresses: firstFew(addresses) }, what);
  } catch (error) {
    const what = "connections to addresses that left this host stay";
    log.warn({ trouble: describeError(error), addresses: firstFew(addresses) }, what);
  }
}

/** Of a disk that takes no file the host is to be freed all the same. */
async function markOrWarn({
  layout,
  log,
}: Pick<WithdrawOptions, "layout" | "log">): Promise<AsyncDisposable | undefined> {
  try {
    return await markWithdrawal(layout.runDir);
  } catch (error) {
    log.warn({ error: describeError(error) }, "the controller will not hear of the withdrawal");
    return undefined;
  }
}

async function assertNoneLeft({
  ledger,
  kernel,
}: Pick<WithdrawOptions, "ledger" | "kernel">): Promise<void> {
  const entries = await ledger.load();
  const { addresses } = await kernel.view();
  const left = entries.filter(
    ({ address, link, foreign }) =>
      !foreign && addresses.some((here) => here.address === address && here.link === link),
  );
  if (left.length === 0) return;
  const message = `this host still holds ${firstFew(left.map(({ address }) => address))}`;
  throw new EdgeError<WithdrawErrorCode>({ code: "HELD", message, retryable: true });
}

/** Until it is gone: it lets go of its run directory before. */
async function endProcess(clock: Clock, pid: number): Promise<void> {
  const startTicks = lookAt(pid)?.startTicks;
  signalProcess(pid, "SIGTERM");
  const endMs = clock.nowMs() + AGENT_END_MS_MAX;
  while (startTicks !== undefined && lookAt(pid)?.startTicks === startTicks) {
    if (clock.nowMs() >= endMs) signalProcess(pid, "SIGKILL");
    await clock.sleep(POLL_MS);
  }
}

/** It may have ended since it was looked for, and that is what is wanted. */
function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Those of lanes: those of the data path say what nginx does, and not what is wished. */
async function trackFiles({
  keepalived: { trackDir, dataPath, dataPathUdp },
}: DataPlaneLayout): Promise<readonly string[]> {
  try {
    const files = (await readdir(trackDir)).map((name) => join(trackDir, name));
    return files.filter((file) => file !== dataPath && file !== dataPathUdp);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

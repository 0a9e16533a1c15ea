// Copies all that one store holds into another one that is empty, addresses included, and the rows
// of the IPAM service beside it. Given both by their ports, each with the election that guards it:
// no controller works with either meanwhile. It changes nothing of the store that it reads, but for
// the epoch that each opening takes.

import { assert } from "@fairlead/model";
import { type Clock, describeError, type EdgeError, isEdgeError } from "@fairlead/runtime";

import { countIpam, type IpamCounts, type CopiedIpam, readIpam, writeIpam } from "./copy-ipam.ts";
import type { StoredIpam } from "./ipam/ipam-model.ts";
import { isUnreachable } from "./is-unreachable.ts";
import type { Election, Store, StoreChange, StoredState } from "./ports.ts";

/** A store as it is copied. */
export interface CopiedStore {
  /** As people write it. */
  readonly name: string;
  readonly election: Election;
  readonly store: Store;
  /** Of the IPAM service beside it; absent: it can have none. */
  readonly ipam?: CopiedIpam;
}

/** What is copied. */
export interface CopyStoreOptions {
  readonly from: CopiedStore;
  /** Undefined: it is not there at all, hence empty; only for a dry run. */
  readonly to: CopiedStore | undefined;
  readonly dryRun: boolean;
  readonly clock: Clock;
  /** A lead that nobody renews is over after this long, in ms: so long is waited for one. */
  readonly leaseMs: number;
  /** Told when somebody leads who may be gone. */
  readonly onWait: (text: string) => void;
}

/** How many rows a store holds. */
export interface StoreCounts {
  readonly leases: number;
  readonly lanes: number;
  readonly intents: number;
  /** Of the IPAM service; absent: it has none. */
  readonly ipam?: IpamCounts;
}

/** What came of it. A refusal changed nothing. */
export type CopyOutcome =
  | { readonly kind: "copied" | "would-copy"; readonly counts: StoreCounts }
  | {
      readonly kind: "refused";
      readonly code: "HELD" | "NOT_EMPTY" | "FENCED" | "UNUSABLE" | "UNREACHABLE";
      /** Of which store, lower case. */
      readonly why: string;
    };

/** A bit more than the lease time: whoever leads renews well within it. */
const WAIT_SHARE = 1.2;

/** Copies. Rejects for bugs alone; whatever the stores refuse is a value. */
export async function copyStore(options: CopyStoreOptions): Promise<CopyOutcome> {
  const { from, to, dryRun } = options;
  for (const side of to === undefined ? [from] : [from, to]) {
    const held = await takeLead(side, options);
    if (held !== undefined) return held;
  }
  const source = await open(from);
  if ("kind" in source) return source;
  const counts = countsOf(source);
  if (to === undefined) return { kind: "would-copy", counts };
  const target = await open(to);
  if ("kind" in target) return target;
  const there = countsOf(target);
  if (there.leases + there.lanes + there.intents > 0 || there.ipam !== undefined) {
    const why = `${to.name} is not empty: it holds ${countsText(there)}`;
    return { kind: "refused", code: "NOT_EMPTY", why };
  }
  if (dryRun) return { kind: "would-copy", counts };
  return await write(to, source, target.epoch);
}

/** `3 leases, 1 lane and 0 intents`. */
export function countsText({ leases, lanes, intents, ipam }: StoreCounts): string {
  const own = `${many(leases, "lease")}, ${many(lanes, "lane")} and ${many(intents, "intent")}`;
  if (ipam === undefined) return own;
  const { classes, netblocks, registrations } = ipam;
  const given = `${many(netblocks, "netblock")} and ${many(registrations, "registration")}`;
  return `${own}, and of the IPAM ${many(classes, "class", "es")}, ${given}`;
}

function many(count: number, what: string, ending = "s"): string {
  return `${count} ${what}${count === 1 ? "" : ending}`;
}

async function takeLead(
  { name, election }: CopiedStore,
  { clock, leaseMs, onWait }: CopyStoreOptions,
): Promise<CopyOutcome | undefined> {
  const { promise: leads, resolve } = Promise.withResolvers<true>();
  try {
    await election.start({
      onLead: () => resolve(true),
      onLost: () => undefined,
      onChange: () => undefined,
    });
  } catch (error) {
    return { kind: "refused", code: "UNUSABLE", why: `${name}: ${describeError(error)}` };
  }
  if (election.view().leads) return undefined;
  // Nobody is waited for who was never seen: the election has asked each member already.
  if (election.view().holder === undefined) {
    const lost = troubleOf(name, election);
    if (lost !== undefined) return lost;
  }
  const waitMs = leaseMs * WAIT_SHARE;
  onWait(`${name}: ${heldBy(election)}; waiting up to ${Math.ceil(waitMs / 1000)} s for its end`);
  const limit = new AbortController();
  const late = clock.sleep(waitMs, limit.signal).catch(() => undefined);
  const isOurs = await Promise.race([leads, late]);
  limit.abort();
  if (isOurs === true) return undefined;
  const held = `a controller has ${name}: ${heldBy(election)}`;
  return troubleOf(name, election) ?? { kind: "refused", code: "HELD", why: held };
}

/** Why the lead can be neither had nor seen; undefined: it can. */
function troubleOf(name: string, election: Election): CopyOutcome | undefined {
  const { trouble, isUnreachable: isOutOfReach = false } = election.view();
  if (trouble === undefined) return undefined;
  const code = isOutOfReach ? "UNREACHABLE" : "UNUSABLE";
  return { kind: "refused", code, why: `${name}: ${trouble}` };
}

function heldBy(election: Election): string {
  return `${election.view().holder ?? "nobody who is known"} leads`;
}

/** Everything of one side. */
interface CopiedState extends StoredState {
  readonly ipam: StoredIpam | undefined;
}

async function open({ name, store, ipam }: CopiedStore): Promise<CopiedState | CopyOutcome> {
  try {
    return { ...(await store.open()), ipam: await readIpam(ipam) };
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    return { kind: "refused", code: codeOf(error), why: `${name}: ${describeError(error)}` };
  }
}

function codeOf(error: EdgeError): Extract<CopyOutcome, { kind: "refused" }>["code"] {
  if (error.code === "BUSY") return "HELD";
  return isUnreachable(error) ? "UNREACHABLE" : "UNUSABLE";
}

async function write(
  { name, store, ipam }: CopiedStore,
  source: CopiedState,
  opened: number,
): Promise<CopyOutcome> {
  const fenced: CopyOutcome = {
    kind: "refused",
    code: "FENCED",
    why: `another controller took ${name} meanwhile`,
  };
  try {
    let epoch = opened;
    if (source.epoch >= opened) {
      // Agents obeyed the epochs of the store that is left, and refuse lower ones.
      const ranked = await store.outrank(opened, source.epoch);
      if (ranked.kind === "fenced") return fenced;
      ({ epoch } = ranked);
    }
    const result = await store.commit(epoch, changesOf(source));
    if (result.kind === "fenced") return fenced;
    if (source.ipam !== undefined) {
      assert(ipam !== undefined, "what is written to has a place for all that is read");
      await writeIpam(ipam, source.ipam);
    }
    return { kind: "copied", counts: countsOf(source) };
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    const why = `${name}, which may hold a part now: ${describeError(error)}`;
    return { kind: "refused", code: codeOf(error), why };
  }
}

function changesOf({ leases, lanes, intents }: StoredState): readonly StoreChange[] {
  return [
    ...lanes.map((lane): StoreChange => ({ kind: "put-lane", lane })),
    ...leases.map((lease): StoreChange => ({ kind: "put-lease", lease })),
    ...intents.map((intent): StoreChange => ({ kind: "put-intent", intent })),
  ];
}

function countsOf({ leases, lanes, intents, ipam }: CopiedState): StoreCounts {
  return {
    leases: leases.length,
    lanes: lanes.length,
    intents: intents.length,
    ...(ipam === undefined ? {} : { ipam: countIpam(ipam) }),
  };
}

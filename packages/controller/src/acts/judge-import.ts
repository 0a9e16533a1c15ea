// Whether leases of an export may stand here. Pure. Everything is looked at before anything is
// done, so that all that is wrong is said at once; one problem refuses the whole file.

import {
  type Address,
  claimTitle,
  compareAddress,
  compareText,
  type Family,
  familyOf,
  holdersText,
  type LeasedAddress,
  portText,
  type World,
} from "@fairlead/model";
import { type PoolBook, checkPools } from "@fairlead/planner";

import type { AllowedAct, DeniedAct } from "./act.ts";

/** Problems that are named; a longer list helps nobody. */
const PROBLEMS_MAX = 50;

/** Judges an import. */
export function judgeImport(
  world: World,
  leases: readonly LeasedAddress[],
): AllowedAct | DeniedAct {
  const sorted = leases.toSorted((a, b) => compareAddress(a.address, b.address));
  const book = checkPools(world.pools);
  const problems = [
    ...repeated(sorted),
    ...sorted.flatMap((lease) => whyNotHere(world, book, lease)),
    ...whoHasTwo(world, sorted),
  ];
  if (problems.length > 0) {
    const rest = problems.length - PROBLEMS_MAX;
    const more = rest > 0 ? [`and ${rest} more`] : [];
    const remedy = "Change the file or the pools, or release what is in the way.";
    return { kind: "refused", why: [...problems.slice(0, PROBLEMS_MAX), ...more], remedy };
  }
  const news = sorted
    .filter((lease) => !isKnown(world, lease))
    .map((lease) => withWhatIsHere(lease, world.leases.get(lease.address)));
  return {
    kind: "allowed",
    will: news.map(({ address, owners, lastClaim, state }) => {
      const names = owners.map(({ claim }) => claimTitle(claim)).join(", ");
      return `${address}: ${names === "" ? `${state.kind}, was ${claimTitle(lastClaim)}'s` : names}`;
    }),
    did: [`${news.length} of ${sorted.length} leases came in; the others were here already`],
    intents: [],
    leases: news,
    owners: news.flatMap(({ owners }) => owners.map(({ claim }) => claim)),
  };
}

function repeated(leases: readonly LeasedAddress[]): readonly string[] {
  return leases.flatMap(({ address }, at) =>
    leases[at - 1]?.address === address ? [`${address} stands in the file twice`] : [],
  );
}

function whyNotHere(world: World, book: PoolBook, lease: LeasedAddress): readonly string[] {
  const { address, pool } = lease;
  const problems: string[] = [];
  const view = book.poolOf(address);
  if (!book.byName.has(pool)) problems.push(`${address}: there is no pool ${pool} that is used`);
  else if (view === undefined) problems.push(`${address} lies in no pool that is used`);
  else if (view.pool.name !== pool) {
    problems.push(`${address} lies in pool ${view.pool.name}, and the file says ${pool}`);
  }
  if (lease.owners.length > 1 && lease.sharingKey === undefined) {
    problems.push(`${address} has several owners and no sharing key`);
  }
  const clash = firstClash(lease);
  if (clash !== undefined) problems.push(`${address}: two owners have ${clash}`);
  const row = world.leases.get(address);
  if (row === undefined || isKnown(world, lease)) return problems;
  if (row.state.kind === "held") {
    problems.push(`${address} is held by ${holdersText(row)}`);
  } else if (row.state.kind === "draining" && !mayFollow(row, lease)) {
    const whose = claimTitle(row.lastClaim);
    const waits = row.sentTo.length === 0 ? "the next plan" : row.sentTo.join(", ");
    problems.push(`${address} was ${whose}'s and waits for ${waits}`);
  }
  return problems;
}

/** Whether what drains may be had again: by whom it was, and not to rest or be free. */
function mayFollow(row: LeasedAddress, { lastClaim, state }: LeasedAddress): boolean {
  return state.kind === "held" && row.lastClaim === lastClaim;
}

/**
 * The lease with what is known of its address here: whoever was sent it since the export may have
 * it still, where the file knows of others alone or of nobody.
 */
function withWhatIsHere(lease: LeasedAddress, row: LeasedAddress | undefined): LeasedAddress {
  if (row === undefined) return lease;
  const sentTo = [...new Set([...row.sentTo, ...lease.sentTo])].toSorted(compareText);
  return { ...lease, placement: row.placement, sentTo };
}

/** A port that two owners of the lease have: "80/TCP". */
function firstClash({ owners }: LeasedAddress): string | undefined {
  const seen = new Set<string>();
  for (const { ports } of owners) {
    for (const text of ports.map(portText)) {
      if (seen.has(text)) return text;
      seen.add(text);
    }
  }
  return undefined;
}

/** A claim has one address a family, here and in the file together. */
function whoHasTwo(world: World, leases: readonly LeasedAddress[]): readonly string[] {
  const held = new Map<string, Address>();
  const keyOf = (claim: string, family: Family): string => `${family} ${claim}`;
  for (const { address, owners } of world.leases.values()) {
    for (const { claim } of owners) held.set(keyOf(claim, familyOf(address)), address);
  }
  const problems: string[] = [];
  for (const { address, owners } of leases) {
    for (const { claim } of owners) {
      const key = keyOf(claim, familyOf(address));
      const other = held.get(key);
      if (other !== undefined && other !== address) {
        problems.push(`${address}: ${claimTitle(claim)} has ${other}`);
      }
      held.set(key, address);
    }
  }
  return problems;
}

/** Whether the store says the same of who owns the address. */
function isKnown(world: World, { address, owners, state }: LeasedAddress): boolean {
  const row = world.leases.get(address);
  if (row === undefined || row.state.kind !== state.kind) return false;
  return row.owners.length === owners.length && row.owners.every((owner) => has(owners, owner));
}

function has(owners: LeasedAddress["owners"], { claim, uid }: LeasedAddress["owners"][number]) {
  return owners.some((other) => other.claim === claim && other.uid === uid);
}

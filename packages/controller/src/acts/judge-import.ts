// Whether leases of an export may stand here. Pure. Everything is looked at before anything is
// done, so that all that is wrong is said at once; one problem refuses the whole file. What is here
// already is left as it is and is no problem, whatever became of its pool.

import {
  type ClaimId,
  claimTitle,
  compareAddress,
  compareText,
  holdersText,
  type LeasedAddress,
  portText,
  type World,
} from "@fairlead/model";

import type { AllowedAct, DeniedAct } from "./act.ts";
import { areOfTwoHosts, type ImportView, isBeingLeft, isMove, viewImport } from "./import-view.ts";

/** Problems that are named; a longer list helps nobody. */
const PROBLEMS_MAX = 50;

/** Judges an import. */
export function judgeImport(
  world: World,
  leases: readonly LeasedAddress[],
): AllowedAct | DeniedAct {
  const view = viewImport(world, leases);
  const { file } = view;
  const news = [...view.news];
  const problems = [
    ...repeated(file),
    ...news.flatMap((lease) => [
      ...whyNotGiven(view, lease),
      ...whyNotShared(lease),
      ...whyNotFree(world, lease),
    ]),
    ...news.flatMap((lease) => whoHasTwo(view, lease)),
  ];
  if (problems.length > 0) {
    const rest = problems.length - PROBLEMS_MAX;
    const more = rest > 0 ? [`and ${rest} more`] : [];
    const remedy = "Change the file or the pools, or release what is in the way.";
    return { kind: "refused", why: [...problems.slice(0, PROBLEMS_MAX), ...more], remedy };
  }
  const coming = news.map((lease) => withWhatIsHere(lease, world.leases.get(lease.address)));
  return {
    kind: "allowed",
    will:
      coming.length > 0
        ? coming.map(leaseText)
        : [`nothing changes; all ${file.length} leases of the file are here already`],
    did: [`${news.length} of ${file.length} leases came in; the others were here already`],
    intents: [],
    leases: coming,
    owners: coming.flatMap(({ owners }) => owners.map(({ claim }) => claim)),
  };
}

function leaseText({ address, owners, lastClaim, state }: LeasedAddress): string {
  const names = owners.map(({ claim }) => claimTitle(claim)).join(", ");
  return `${address}: ${names === "" ? `${state.kind}, was ${claimTitle(lastClaim)}'s` : names}`;
}

function repeated(leases: readonly LeasedAddress[]): readonly string[] {
  return leases.flatMap(({ address }, at) =>
    leases[at - 1]?.address === address ? [`${address} stands in the file twice`] : [],
  );
}

/** Why its pool would not give it. What nobody owns takes nothing from any pool. */
function whyNotGiven(view: ImportView, lease: LeasedAddress): readonly string[] {
  const { address, pool, owners } = lease;
  if (owners.length === 0) return [];
  const { book } = view;
  const named = book.byName.get(pool)?.pool;
  if (named === undefined) return [`${address}: there is no pool ${pool} that is used`];
  const giver = book.poolOf(address)?.pool;
  if (giver === named || isBeingLeft(view, lease)) return [];
  if (giver !== undefined) {
    return [`${address} lies in pool ${giver.name}, and the file says ${pool}`];
  }
  if (named.external !== undefined) {
    return [`${address}: the IPAM of pool ${pool} has not given it that address`];
  }
  return [`${address} lies in no pool that is used`];
}

function whyNotShared(lease: LeasedAddress): readonly string[] {
  const { address, owners, sharingKey } = lease;
  const problems: string[] = [];
  if (owners.length > 1 && sharingKey === undefined) {
    problems.push(`${address} has several owners and no sharing key`);
  }
  const clash = firstClash(lease);
  if (clash !== undefined) problems.push(`${address}: two owners have ${clash}`);
  return problems;
}

/** Who has it here. */
function whyNotFree(world: World, lease: LeasedAddress): readonly string[] {
  const { address } = lease;
  const row = world.leases.get(address);
  if (row?.state.kind === "held") return [`${address} is held by ${holdersText(row)}`];
  if (row?.state.kind !== "draining" || mayFollow(row, lease)) return [];
  const whose = claimTitle(row.lastClaim);
  const waits = row.sentTo.length === 0 ? "the next plan" : row.sentTo.join(", ");
  return [`${address} was ${whose}'s and waits for ${waits}`];
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

/**
 * A claim has one address a family, and in mode host one of each agent: two of them for the length
 * of a move alone, and of that the file has to know both ends.
 */
function whoHasTwo(view: ImportView, lease: LeasedAddress): readonly string[] {
  return lease.owners.flatMap(({ claim }) => {
    const other = otherOf(view, lease, claim);
    return other === undefined
      ? []
      : [`${lease.address}: ${claimTitle(claim)} has ${other.address}`];
  });
}

/** What the claim has that it cannot have beside the lease. */
function otherOf(
  view: ImportView,
  lease: LeasedAddress,
  claim: ClaimId,
): LeasedAddress | undefined {
  const { address } = lease;
  const inFile = view.inFile(claim, address);
  const isInFile = (row: LeasedAddress): boolean =>
    inFile.some((other) => other.address === row.address);
  const here = view.inStore(claim, address).find((row) => {
    return !isInFile(row) && !areOfTwoHosts(view, row, lease);
  });
  if (here !== undefined) return here;
  return inFile.find((other) => {
    // Of two that are new it is said once.
    const isSaid = view.news.has(other) && compareAddress(other.address, address) >= 0;
    // A move may be over by now.
    const now = view.world.leases.get(other.address) ?? other;
    return !isSaid && !areOfTwoHosts(view, now, lease) && !isMove(view, now, lease);
  });
}

// The difference between what the store holds and what a plan wants stored. Pure. Rows that are
// other objects are compared by content, so that an idle controller writes nothing.

import { type ClaimId, type Intent, type Plan, type World, changedKeys } from "@fairlead/model";

import type { StoreChange } from "./ports.ts";
import type { StoredRows } from "./stored-rows.ts";

/** Changes that turn `stored` into `wanted`: deletions first, then puts, lanes first. */
export function diffStored(stored: StoredRows, wanted: StoredRows): readonly StoreChange[] {
  const leases = changedKeys(stored.leases, wanted.leases);
  const lanes = changedKeys(stored.lanes, wanted.lanes);
  const changes: StoreChange[] = [];
  for (const address of leases) {
    if (!wanted.leases.has(address)) changes.push({ kind: "delete-lease", address });
  }
  for (const lane of lanes) {
    if (!wanted.lanes.has(lane)) changes.push({ kind: "delete-lane", lane });
  }
  for (const id of lanes) {
    const lane = wanted.lanes.get(id);
    if (lane && !isSame(stored.lanes.get(id), lane)) changes.push({ kind: "put-lane", lane });
  }
  for (const address of leases) {
    const lease = wanted.leases.get(address);
    const isKnown = lease !== undefined && isSame(stored.leases.get(address), lease);
    if (lease && !isKnown) changes.push({ kind: "put-lease", lease });
  }
  return [...changes, ...diffIntents(stored.intents, wanted.intents)];
}

function diffIntents(stored: readonly Intent[], wanted: readonly Intent[]): StoreChange[] {
  if (stored === wanted) return [];
  const ids = new Set(wanted.map(({ id }) => id));
  const known = new Map(stored.map((intent) => [intent.id, intent]));
  const gone = stored.filter(({ id }) => !ids.has(id));
  const news = wanted.filter((intent) => !isSame(known.get(intent.id), intent));
  return [
    ...gone.map(({ id }): StoreChange => ({ kind: "delete-intent", id })),
    ...news.map((intent): StoreChange => ({ kind: "put-intent", intent })),
  ];
}

/**
 * The world without claims that own an address by these changes, and not in the stored rows, and
 * without what was seen of IPAMs, which would have to be stored.
 */
export function withoutNewOwners(
  world: World,
  stored: Pick<StoredRows, "leases">,
  changes: readonly StoreChange[],
): World {
  const heldBack = newOwners(stored, changes);
  const claims = new Map([...world.claims].filter(([id]) => !heldBack.has(id)));
  const { ipam: _, ...rest } = world;
  return { ...rest, claims };
}

/** The plan with the registrations that are stored, which can be neither changed nor forgotten. */
export function withRegistrations(plan: Plan, stored: Pick<StoredRows, "intents">): Plan {
  const kept = stored.intents.filter(isRegistration);
  const others = plan.intents.filter((intent) => !isRegistration(intent));
  return { ...plan, intents: [...others, ...kept] };
}

function isRegistration({ kind }: Intent): boolean {
  return kind === "register";
}

function newOwners(
  stored: Pick<StoredRows, "leases">,
  changes: readonly StoreChange[],
): ReadonlySet<ClaimId> {
  const found = new Set<ClaimId>();
  for (const change of changes) {
    if (change.kind !== "put-lease") continue;
    const { address, owners } = change.lease;
    const before = stored.leases.get(address)?.owners ?? [];
    for (const { claim, uid } of owners) {
      const isKnown = before.some((owner) => owner.claim === claim && owner.uid === uid);
      if (!isKnown) found.add(claim);
    }
  }
  return found;
}

/** Rows are plain data made in one key order by the planner and the store alike. */
function isSame(stored: object | undefined, wanted: object): boolean {
  return stored === wanted || (stored !== undefined && canonical(stored) === canonical(wanted));
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

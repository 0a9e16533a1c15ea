// What the IPAM service knows, as a value that is never changed, and the shape of what changes it:
// a command is a pure function of a state. Given rows of a store, of which none is half believed.

import {
  type Address,
  type AddressPool,
  type Claim,
  type ClaimId,
  type LeasedAddress,
  assert,
  compareAddress,
  compareBy,
  patchMap,
  present,
} from "@fairlead/model";
import type { AllotMemory } from "@fairlead/planner";

import { claimOf, poolOf } from "./ipam-claim.ts";
import type {
  IpamChange,
  IpamClass,
  Netblock,
  Registration,
  StoredIpam,
  Uuid,
} from "./ipam-model.ts";
import type { Refusal } from "./ipam-refusal.ts";

/** One class as a world of its own. */
export interface ClassState {
  readonly class: IpamClass;
  /** Oldest first; of one age, the lowest. */
  readonly netblocks: readonly Netblock[];
  /** The netblocks as pools: another list only when they change. */
  readonly pools: readonly AddressPool[];
  readonly claims: ReadonlyMap<ClaimId, Claim>;
  readonly leases: ReadonlyMap<Address, LeasedAddress>;
}

/** Everything. */
export interface IpamState {
  readonly classes: ReadonlyMap<Uuid, ClassState>;
  /** Of all classes. */
  readonly netblocks: ReadonlyMap<Uuid, Netblock>;
  /** Of all classes. */
  readonly registrations: ReadonlyMap<Uuid, Registration>;
}

/** What commands need beside the state. */
export interface IpamContext {
  readonly nowMs: number;
  /** When the service opened its store: nobody could renew before, so nothing expires for that. */
  readonly openedMs: number;
  /** A registration that was not renewed for so long has expired. */
  readonly leaseMs: number;
  /** So long after it has expired, the address is taken back. */
  readonly graceMs: number;
  /** Makes allotting cheap; never changes a result. */
  readonly memoryOf: (uuid: Uuid) => AllotMemory;
}

/** What a command did. Nothing of it is to be shown before the changes are durable. */
export interface Done<T> {
  readonly kind: "done";
  readonly state: IpamState;
  readonly changes: readonly IpamChange[];
  readonly value: T;
  /** Whether it made something; false where it was there as asked for. */
  readonly isNew: boolean;
}

/** A command's result. */
export type Outcome<T> = Done<T> | Refusal;

/** Something to be done: state in, state and changes out. */
export type Command<T> = (state: IpamState, context: IpamContext) => Outcome<T>;

/** The state of nothing. */
export const EMPTY_IPAM: IpamState = {
  classes: new Map(),
  netblocks: new Map(),
  registrations: new Map(),
};

/** Builds the state of what a store holds, which must fit together. */
export function openState(stored: StoredIpam): IpamState {
  const worlds = new Map(stored.classes.map((one) => [one.uuid, emptyWorld(one)]));
  const worldOf = (uuid: Uuid): MutableWorld =>
    present(worlds.get(uuid), `rows of class ${uuid} have their class`);
  for (const netblock of stored.netblocks) worldOf(netblock.class).netblocks.push(netblock);
  for (const registration of stored.registrations) {
    const claim = claimOf(registration);
    worldOf(registration.class).claims.set(claim.id, claim);
  }
  for (const { class: uuid, lease } of stored.addresses) {
    worldOf(uuid).leases.set(lease.address, lease);
  }
  for (const { class: uuid, address } of stored.registrations) {
    assert(worldOf(uuid).leases.has(address), `a registration holds ${address}`);
  }
  return {
    classes: new Map([...worlds].map(([uuid, world]) => [uuid, close(world)])),
    netblocks: new Map(stored.netblocks.map((one) => [one.uuid, one])),
    registrations: new Map(stored.registrations.map((one) => [one.uuid, one])),
  };
}

interface MutableWorld {
  readonly class: IpamClass;
  readonly netblocks: Netblock[];
  readonly claims: Map<ClaimId, Claim>;
  readonly leases: Map<Address, LeasedAddress>;
}

function emptyWorld(one: IpamClass): MutableWorld {
  return { class: one, netblocks: [], claims: new Map(), leases: new Map() };
}

function close(world: MutableWorld): ClassState {
  return withNetblocks({ ...world, pools: [] }, world.netblocks);
}

/** The class with other netblocks. */
export function withNetblocks(world: ClassState, netblocks: readonly Netblock[]): ClassState {
  const sorted = netblocks.toSorted(compareNetblock);
  return { ...world, netblocks: sorted, pools: sorted.map(poolOf) };
}

const compareNetblock = compareBy<Netblock>(
  (a, b) => a.createdMs - b.createdMs,
  (a, b) => compareAddress(a.range.first, b.range.first),
);

/** The state with one class in another state. */
export function withClass(state: IpamState, world: ClassState): IpamState {
  const classes = patchMap(state.classes, new Map([[world.class.uuid, world]]));
  return { ...state, classes };
}

/** The class with this uuid or name. */
export function findClass(state: IpamState, reference: string): ClassState | undefined {
  for (const world of state.classes.values()) {
    if (world.class.uuid === reference || world.class.name === reference) return world;
  }
  return undefined;
}

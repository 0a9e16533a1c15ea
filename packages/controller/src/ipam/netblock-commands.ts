// Commands on netblocks. Each is a pure function of a state. A netblock never overlaps with another
// one of its class, and none that is in use is taken away: no edit loses an address.

import {
  type AddressRange,
  type LeasedAddress,
  patchMap,
  rangeContains,
  rangeText,
  rangesOverlap,
  scopeOfRange,
} from "@fairlead/model";

import { holderOf, holderText, refuse, unchanged, unknownClass } from "./answers.ts";
import type { Netblock, Uuid } from "./ipam-model.ts";
import type { Refusal } from "./ipam-refusal.ts";
import {
  type ClassState,
  type Command,
  type IpamState,
  type Outcome,
  findClass,
  withClass,
  withNetblocks,
} from "./ipam-state.ts";
import { heldIn } from "./netblock-use.ts";

/** Netblocks of one class at most. */
const NETBLOCKS_MAX = 256;

/** Adds a range to a class. The same uuid, class and range again find it there. */
export function createNetblock(
  wanted: Pick<Netblock, "uuid" | "range"> & { readonly class: string },
): Command<Netblock> {
  const { uuid, range } = wanted;
  return (state, context) => {
    const world = findClass(state, wanted.class);
    if (world === undefined) return unknownClass(wanted.class);
    const there = state.netblocks.get(uuid);
    if (there !== undefined) {
      const isSame = there.class === world.class.uuid && isSameRange(there.range, range);
      if (isSame) return unchanged(state, there);
      return refuse("UuidTaken", `${uuid} is netblock ${rangeText(there.range)}`, { uuid });
    }
    if (world.netblocks.length >= NETBLOCKS_MAX) {
      const why = `class ${world.class.name} has ${NETBLOCKS_MAX} netblocks`;
      return refuse("LimitReached", why);
    }
    const { nowMs } = context;
    const made = { uuid, class: world.class.uuid, range, createdMs: nowMs, modifiedMs: nowMs };
    return putNetblock(state, world, made, true);
  };
}

/** Gives a netblock another range, which has every address in it that is held. */
export function changeNetblock(uuid: Uuid, range: AddressRange): Command<Netblock> {
  return (state, context) => {
    const found = findNetblock(state, uuid);
    if (found.kind === "refused") return found;
    const { netblock, world } = found;
    if (isSameRange(netblock.range, range)) return unchanged(state, netblock);
    const lost = heldIn(world, uuid).filter((row) => !rangeContains(range, row.address));
    if (lost.length > 0) return inUse(state, netblock, lost);
    return putNetblock(state, world, { ...netblock, range, modifiedMs: context.nowMs }, false);
  };
}

/** Takes a netblock away of which no address is held. */
export function deleteNetblock(uuid: Uuid): Command<undefined> {
  return (state) => {
    const found = findNetblock(state, uuid);
    if (found.kind === "refused") return found;
    const { netblock, world } = found;
    const held = heldIn(world, uuid);
    if (held.length > 0) return inUse(state, netblock, held);
    const others = world.netblocks.filter((one) => one.uuid !== uuid);
    return {
      kind: "done",
      state: {
        ...withClass(state, withNetblocks(world, others)),
        netblocks: patchMap(state.netblocks, new Map([[uuid, undefined]])),
      },
      changes: [{ kind: "delete-netblock", uuid }],
      value: undefined,
      isNew: false,
    };
  };
}

function putNetblock(
  state: IpamState,
  world: ClassState,
  netblock: Netblock,
  isNew: boolean,
): Outcome<Netblock> {
  const { uuid, range } = netblock;
  const scope = scopeOfRange(range);
  if (scope !== "unicast") {
    return refuse("BadNetblock", `${rangeText(range)} holds ${scope} addresses`);
  }
  const others = world.netblocks.filter((one) => one.uuid !== uuid);
  const rival = others.find((one) => rangesOverlap(one.range, range));
  if (rival !== undefined) {
    const why = `${rangeText(range)} overlaps with netblock ${rangeText(rival.range)} of class ${world.class.name}`;
    return refuse("NetblockOverlap", why, { uuid: rival.uuid });
  }
  return {
    kind: "done",
    state: {
      ...withClass(state, withNetblocks(world, [...others, netblock])),
      netblocks: patchMap(state.netblocks, new Map([[uuid, netblock]])),
    },
    changes: [{ kind: "put-netblock", netblock }],
    value: netblock,
    isNew,
  };
}

interface Found {
  readonly kind: "found";
  readonly netblock: Netblock;
  readonly world: ClassState;
}

function findNetblock(state: IpamState, uuid: Uuid): Found | Refusal {
  const netblock = state.netblocks.get(uuid);
  const world = netblock === undefined ? undefined : state.classes.get(netblock.class);
  if (netblock === undefined || world === undefined) {
    return refuse("UnknownNetblock", `no netblock has the uuid ${uuid}`);
  }
  return { kind: "found", netblock, world };
}

function inUse(
  state: IpamState,
  { range }: Netblock,
  [first, ...others]: readonly LeasedAddress[],
): Refusal {
  const more = others.length === 0 ? "" : `, and ${others.length} more are held`;
  const holder = first === undefined ? undefined : holderOf(state, first);
  const why = `${holderText(holder)} of ${rangeText(range)}${more}`;
  return refuse("NetblockInUse", why, holder);
}

function isSameRange(a: AddressRange, b: AddressRange): boolean {
  return a.first === b.first && a.last === b.last;
}

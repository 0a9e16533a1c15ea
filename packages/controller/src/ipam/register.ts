// Registering: who gets which address. It is given by the planner's own allocation; here stands
// who may ask, and that whoever asks again with the same uuid gets the same answer.

import {
  type Address,
  type Family,
  type LeasedAddress,
  changedKeys,
  familyOf,
  patchMap,
  present,
} from "@fairlead/model";

import { addressChanges, allotIn } from "./allot-in.ts";
import { refuse, unknownClass } from "./answers.ts";
import { claimOf, wishClaim } from "./ipam-claim.ts";
import type { Registration, Uuid } from "./ipam-model.ts";
import {
  type ClassState,
  type Command,
  type IpamContext,
  type IpamState,
  type Outcome,
  findClass,
  withClass,
} from "./ipam-state.ts";
import { renewed } from "./keep.ts";
import { tellRefusal } from "./tell-refusal.ts";

/** Registrations of all classes at most: about 1 kB of memory each. */
const REGISTRATIONS_MAX = 100_000;

/** What is asked for with a registration. */
export interface RegisterWish {
  /** The class's uuid or name. */
  readonly class: string;
  /** Whoever sends the same again gets the same answer, and after a release his address back. */
  readonly uuid: Uuid;
  readonly address?: Address;
  readonly family?: Family;
  readonly owner?: string;
}

/** Gives an address. For a uuid that has one, renews it. */
export function register(wish: RegisterWish): Command<Registration> {
  return (state, context) => {
    const world = findClass(state, wish.class);
    if (world === undefined) return unknownClass(wish.class);
    const there = state.registrations.get(wish.uuid);
    if (there !== undefined) return registerAgain(state, context, there, { wish, world });
    if (state.registrations.size >= REGISTRATIONS_MAX) {
      return refuse("LimitReached", `there are ${REGISTRATIONS_MAX} registrations`);
    }
    const { nowMs } = context;
    const { uuid, owner } = wish;
    const claim = wishClaim({ ...wish, createdMs: nowMs });
    const asking = { ...world, claims: patchMap(world.claims, new Map([[claim.id, claim]])) };
    const allotment = allotIn(asking, context);
    const refused = allotment.refused.get(claim.id);
    if (refused !== undefined) return tellRefusal(state, world, wish, refused);
    const changed = changedKeys(world.leases, allotment.leases);
    const address = changed.find((one) => isOwner(allotment.leases.get(one), uuid));
    const registration: Registration = {
      uuid,
      class: world.class.uuid,
      address: present(address, "whoever is not refused is given an address"),
      ...(owner === undefined ? {} : { owner }),
      createdMs: nowMs,
      renewedMs: nowMs,
    };
    // From now on it asks for what it has.
    const claims = patchMap(world.claims, new Map([[claim.id, claimOf(registration)]]));
    return {
      kind: "done",
      state: {
        ...withClass(state, { ...world, claims, leases: allotment.leases }),
        registrations: patchMap(state.registrations, new Map([[uuid, registration]])),
      },
      changes: [
        ...addressChanges(world, allotment.leases),
        { kind: "put-registration", registration },
      ],
      value: registration,
      isNew: true,
    };
  };
}

function registerAgain(
  state: IpamState,
  context: IpamContext,
  there: Registration,
  { wish, world }: { readonly wish: RegisterWish; readonly world: ClassState },
): Outcome<Registration> {
  const { uuid, address } = there;
  if (there.class !== world.class.uuid) {
    const name = state.classes.get(there.class)?.class.name ?? there.class;
    return refuse("UuidTaken", `${uuid} is a registration of class ${name}`, { uuid, address });
  }
  const isOther = wish.address !== undefined && wish.address !== address;
  const isOfOther = wish.family !== undefined && wish.family !== familyOf(address);
  if (isOther || isOfOther) {
    const asked = wish.address ?? wish.family ?? "";
    const why = `registration ${uuid} holds ${address}, and ${asked} is asked for`;
    return refuse("RegistrationDiffers", why, { uuid, address });
  }
  const { owner = there.owner } = wish;
  return renewed(state, context, { ...there, ...(owner === undefined ? {} : { owner }) });
}

function isOwner(row: LeasedAddress | undefined, uuid: Uuid): boolean {
  return row?.owners.some((owner) => owner.uid === uuid) ?? false;
}

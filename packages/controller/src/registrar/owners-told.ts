// Whom an IPAM was told to have each of its addresses. Given the registrations and who has what by
// now: whoever wanted an address may have passed it on to one that shared it. Nothing of it is
// stored: a controller that starts takes it that the IPAM knows who wanted it first.

import type { Address, ClaimId, LeasedAddress, Registration } from "@fairlead/model";

/** Who has what. */
export type Holders = ReadonlyMap<Address, Pick<LeasedAddress, "owners">>;

/** The memory. */
export interface OwnersTold {
  follow(registrations: readonly Registration[], holders: Holders): void;
  /** Who has what the registration gave, or wants it; of several that share it always the same. */
  of(one: Registration): ClaimId;
  /** Whether its IPAM was told of another one, as it gave the address. */
  isNews(one: Registration): boolean;
  /** The IPAM has heard of it. */
  told(one: Registration, owner: ClaimId): void;
}

/** Makes it; what was told before is what the registrations say. */
export function createOwnersTold(): OwnersTold {
  const told = new Map<string, ClaimId>();
  let holders: Holders = new Map();
  const known = ({ uuid, claim }: Registration): ClaimId => told.get(uuid) ?? claim;
  const of = (one: Registration): ClaimId => {
    const owners = (one.address && holders.get(one.address)?.owners) ?? [];
    const last = known(one);
    // One that waits for its quarantine to end is still known by who had it last.
    return owners.some(({ claim }) => claim === last) ? last : (owners[0]?.claim ?? last);
  };
  return {
    follow: (registrations, now) => {
      holders = now;
      const uuids = new Set(registrations.map(({ uuid }) => uuid));
      for (const uuid of told.keys()) if (!uuids.has(uuid)) told.delete(uuid);
    },
    of,
    isNews: (one) => one.ending !== true && one.address !== undefined && of(one) !== known(one),
    told: ({ uuid }, owner) => void told.set(uuid, owner),
  };
}

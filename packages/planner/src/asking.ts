// What claims want of external pools, collected while addresses are given: nothing is asked of
// anybody here. Given the registrations that there are and what is seen of them; says in words how
// each wish stands.

import {
  type Address,
  type AddressPool,
  type ClaimId,
  type Family,
  type IpamSights,
  type LeasedAddress,
  type Registration,
  type Remark,
  NO_SIGHTS,
  ipamLineId,
} from "@fairlead/model";

/** A pool that takes its addresses from an IPAM. */
export type AskedPool = AddressPool & Required<Pick<AddressPool, "external">>;

/** Whether a pool does. */
export function isAsked(pool: AddressPool): pool is AskedPool {
  return pool.external !== undefined;
}

/** One address that an external pool is to have for a claim. */
export interface Want {
  readonly claim: ClaimId;
  readonly pool: AskedPool;
  readonly family: Family;
  /** The very one; absent: any. */
  readonly address?: Address;
}

/** How a wish stands. */
export interface Standing {
  /** Whether an answer is to be waited for: no other pool is tried meanwhile. */
  readonly isOpen: boolean;
  readonly problem: Remark;
}

/** Takes wishes. */
export interface Asking {
  /** @param rows as they are now: an address that somebody has by now helps nobody else. */
  ask(
    claim: ClaimId,
    pool: AskedPool,
    wish: Pick<Want, "family" | "address">,
    rows: ReadonlyMap<Address, LeasedAddress>,
  ): Standing;
  /** The claim has what it asked for of this family, or of all: it asks no more. */
  drop(claim: ClaimId, family?: Family): void;
  /** A claim will take the free address later: it is not to be given back meanwhile. */
  keep(address: Address): void;
  /** In the order asked. */
  wants(): readonly Want[];
  isKept(address: Address): boolean;
}

/** Begins to collect. `registrations`: those that are not ending. */
export function createAsking(
  registrations: readonly Registration[],
  sights: IpamSights = NO_SIGHTS,
): Asking {
  const known = new Map(registrations.map((one) => [keyOf(one), one]));
  const wants = new Map<ClaimId, Want[]>();
  const kept = new Set<Address>();
  return {
    ask: (claim, pool, wish, rows) => {
      const want: Want = { claim, pool, ...wish };
      const own = wants.get(claim);
      if (own === undefined) wants.set(claim, [want]);
      else if (!own.some((one) => wantKey(one) === wantKey(want))) own.push(want);
      const registration = known.get(wantKey(want));
      const isUsed = registration?.address !== undefined && rows.has(registration.address);
      return standingOf(pool, isUsed ? undefined : registration, sights);
    },
    drop: (claim, family) => {
      if (wants.size === 0) return;
      const rest = (wants.get(claim) ?? []).filter((one) => (family ?? one.family) !== one.family);
      if (rest.length > 0) wants.set(claim, rest);
      else wants.delete(claim);
    },
    keep: (address) => kept.add(address),
    wants: () => [...wants.values()].flat(),
    isKept: (address) => kept.has(address),
  };
}

/** The same for a wish and for the registration that was made for it. */
export function wantKey({ claim, pool, family, address }: Want): string {
  const { url, class: of } = pool.external;
  return keyOf({
    claim,
    pool: pool.name,
    url,
    class: of,
    family,
    ...(address === undefined ? {} : { wish: address }),
  });
}

/** What a registration was made for. */
export function keyOf(
  one: Pick<Registration, "claim" | "pool" | "url" | "class" | "family" | "wish">,
): string {
  const { claim, pool, url, class: of, family, wish = "" } = one;
  return [claim, pool, url, of, family, wish].join("\n");
}

function standingOf(
  { name, external }: AskedPool,
  registration: Registration | undefined,
  sights: IpamSights,
): Standing {
  const { url } = external;
  const say = (reason: Remark["reason"], what: string, isOpen = false): Standing => {
    return { isOpen, problem: { reason, detail: `pool ${name}: ${what}` } };
  };
  const trouble = sights.troubles.get(ipamLineId(name, url));
  if (trouble !== undefined) return say("IpamUnreachable", `${url} cannot be asked: ${trouble}`);
  const sight = registration && sights.registrations.get(registration.uuid);
  if (sight?.kind === "refused") return say("IpamRefused", `${url} refuses: ${sight.detail}`);
  const { address } = registration ?? {};
  // It would have been taken, were it of use.
  if (address !== undefined) {
    return say("IpamRefused", `${url} gave ${address}, which cannot be used here`);
  }
  const what = `${url} is asked for an address of class ${external.class}`;
  return say("WaitsForIpam", what, true);
}

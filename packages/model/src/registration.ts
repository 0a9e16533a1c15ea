// Registrations: addresses that a pool takes from an IPAM elsewhere, from the wish for one until it
// was given back. Each has a uuid that was stored before anybody was asked, so that whoever asks
// again, after whatever crash, is given the same address and nothing is left behind there.

import type { Address, Family } from "./address.ts";
import type { ClaimId, PoolName } from "./name.ts";

/** The IPAM that a pool takes its addresses from, instead of having ranges of its own. */
export interface ExternalPool {
  /** Where `/ipam/v1` begins: http or https, a host, a path if need be; without a last slash. */
  readonly url: string;
  /** The class there, by its name or its uuid. */
  readonly class: string;
  /** What the class has addresses of, the preferred one first. Never empty; default: ipv4 alone. */
  readonly families: readonly Family[];
  /** What was given is renewed at least this often, in ms; 300 000 by default. */
  readonly renewMs: number;
}

/** One registration as it is stored, among the intents. */
export interface RegistrationFields extends Omit<ExternalPool, "families"> {
  readonly uuid: string;
  readonly pool: PoolName;
  /** Who wanted it. Once there is an address it is the pool's, and whoever comes first has it. */
  readonly claim: ClaimId;
  readonly family: Family;
  /** The very address that is wanted; absent: any. */
  readonly wish?: Address;
  /** What was given; absent: nothing yet, as far as the store knows. */
  readonly address?: Address;
  /** Nobody wants it any more: it is given back, and then forgotten. */
  readonly ending?: true;
}

/** What became of a registration at the IPAM, as seen last. */
export type RegistrationSight =
  | { readonly kind: "granted"; readonly address: Address }
  /** It is asked for again and again. `detail`: the IPAM's code and words, escaped. */
  | { readonly kind: "refused"; readonly detail: string }
  /** What it had is somebody else's there by now. `detail`: the IPAM's words, escaped. */
  | { readonly kind: "lost"; readonly detail: string }
  /** It was given back, or was never there. */
  | { readonly kind: "released" };

/** What is seen of IPAMs elsewhere. */
export interface IpamSights {
  /** By uuid. */
  readonly registrations: ReadonlyMap<string, RegistrationSight>;
  /** Why an IPAM cannot be asked for a pool, by `ipamLineId`; escaped. */
  readonly troubles: ReadonlyMap<string, string>;
}

/** A line to an IPAM as a key: each pool has one of its own, as its token may be its own. */
export function ipamLineId(pool: PoolName, url: string): string {
  return `${pool} ${url}`;
}

/** Nothing seen. */
export const NO_SIGHTS: IpamSights = { registrations: new Map(), troubles: new Map() };

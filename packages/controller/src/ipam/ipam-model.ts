// The words of the IPAM service: classes, netblocks, registrations. A class is a planning world of
// its own: its netblocks are pools, its registrations are claims, what they hold are leased
// addresses. Parsed at the edges; times are epoch ms by the service's own count.

import { randomUUID } from "node:crypto";

import type { Address, AddressRange, LeasedAddress } from "@fairlead/model";

declare const uuidBrand: unique symbol;

/** A UUID in lower case, so that equal ones are equal strings. Made here alone. */
export type Uuid = string & { readonly [uuidBrand]: true };

const UUID_PATTERN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads a UUID of any version, in any case; undefined when the text is none. */
export function parseUuid(text: string): Uuid | undefined {
  const lower = text.toLowerCase();
  return UUID_PATTERN.test(lower) ? (lower as Uuid) : undefined;
}

/** Makes a new one. */
export function randomUuid(): Uuid {
  return randomUUID() as Uuid;
}

/** Addresses of one kind: no two netblocks of it overlap, and no address in it is held twice. */
export interface IpamClass {
  readonly uuid: Uuid;
  /** An RFC 1123 label, unique, and no UUID: a class is found by either. */
  readonly name: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

/** A range of a class that addresses are given from. */
export interface Netblock {
  readonly uuid: Uuid;
  readonly class: Uuid;
  readonly range: AddressRange;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

/** Somebody who holds an address for as long as he renews it. */
export interface Registration {
  /** Unique among all classes. */
  readonly uuid: Uuid;
  readonly class: Uuid;
  readonly address: Address;
  /** Who it is, for people: printable, at most `OWNER_CHARACTERS_MAX`. Absent: not said. */
  readonly owner?: string;
  readonly createdMs: number;
  readonly renewedMs: number;
}

/** Characters of an owner at most. */
export const OWNER_CHARACTERS_MAX = 200;

/** Everything that a store holds of the service. */
export interface StoredIpam {
  readonly classes: readonly IpamClass[];
  readonly netblocks: readonly Netblock[];
  readonly registrations: readonly Registration[];
  /** Addresses that are not free, each with its class. */
  readonly addresses: readonly { readonly class: Uuid; readonly lease: LeasedAddress }[];
}

/** One change of the store. Puts replace the whole row. */
export type IpamChange =
  | { readonly kind: "put-class"; readonly class: IpamClass }
  | { readonly kind: "delete-class"; readonly uuid: Uuid }
  | { readonly kind: "put-netblock"; readonly netblock: Netblock }
  | { readonly kind: "delete-netblock"; readonly uuid: Uuid }
  | { readonly kind: "put-registration"; readonly registration: Registration }
  | { readonly kind: "delete-registration"; readonly uuid: Uuid }
  | { readonly kind: "put-address"; readonly class: Uuid; readonly lease: LeasedAddress }
  | { readonly kind: "delete-address"; readonly class: Uuid; readonly address: Address };

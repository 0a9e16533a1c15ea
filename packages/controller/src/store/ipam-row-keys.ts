// Which key each row of the IPAM service has in stores of keys and texts, and what its change
// writes. Pure. One key an address of a class, so that no address can be in two rows.

import { assertNever, compareText } from "@fairlead/model";

import { type IpamChange, type StoredIpam, type Uuid, parseUuid } from "../ipam/ipam-model.ts";
import { netblockJson, readClass, readNetblock, readRegistration } from "./ipam-rows.ts";
import type { ChangePlace, KeyChange } from "./pieces.ts";
import { readLease } from "./rows.ts";
import { makeStoreError } from "./store-error.ts";

/** A row as it is kept. */
export interface KeyRow {
  readonly key: string;
  readonly value: string;
}

/** How the keys of the IPAM service begin. */
export interface IpamKeys {
  readonly classes: string;
  readonly netblocks: string;
  readonly registrations: string;
  /** `<class>/<address>` follows. */
  readonly addresses: string;
}

/** The keys below a prefix such as `/fairlead/ipam/`, which may be empty. */
export function ipamKeys(prefix: string): IpamKeys {
  return {
    classes: `${prefix}classes/`,
    netblocks: `${prefix}netblocks/`,
    registrations: `${prefix}registrations/`,
    addresses: `${prefix}addresses/`,
  };
}

/** What a change of the IPAM service does with its key. */
export function toIpamKeyChange(keys: IpamKeys, change: IpamChange): KeyChange {
  switch (change.kind) {
    case "put-class":
      return { key: `${keys.classes}${change.class.uuid}`, value: JSON.stringify(change.class) };
    case "delete-class":
      return { key: `${keys.classes}${change.uuid}`, value: undefined };
    case "put-netblock": {
      const { netblock } = change;
      return { key: `${keys.netblocks}${netblock.uuid}`, value: netblockJson(netblock) };
    }
    case "delete-netblock":
      return { key: `${keys.netblocks}${change.uuid}`, value: undefined };
    case "put-registration": {
      const { registration: one } = change;
      return { key: `${keys.registrations}${one.uuid}`, value: JSON.stringify(one) };
    }
    case "delete-registration":
      return { key: `${keys.registrations}${change.uuid}`, value: undefined };
    case "put-address": {
      const { class: of, lease } = change;
      return { key: `${keys.addresses}${of}/${lease.address}`, value: JSON.stringify(lease) };
    }
    case "delete-address":
      return { key: `${keys.addresses}${change.class}/${change.address}`, value: undefined };
    default:
      return assertNever(change, "unknown change of the IPAM store");
  }
}

/**
 * Where a change stands in a commit of many: classes, netblocks, addresses each together with
 * their registration, then what is deleted in reverse.
 * @param heldBy `<class>/<address>` of a registration by its uuid.
 */
export function placeInIpamCommit(
  keys: IpamKeys,
  heldBy: (uuid: string) => string | undefined,
  { key, value }: KeyChange,
): ChangePlace {
  const isGone = value === undefined;
  if (key.startsWith(keys.classes)) return { rank: isGone ? 4 : 0 };
  if (key.startsWith(keys.netblocks)) return { rank: isGone ? 3 : 1 };
  if (key.startsWith(keys.addresses)) return { rank: 2, unit: key.slice(keys.addresses.length) };
  const unit = heldBy(key.slice(keys.registrations.length));
  return { rank: 2, ...(unit === undefined ? {} : { unit }) };
}

/** What registrations hold after the changes that put them, as `<class>/<address>`. */
export function placesOf(changes: readonly IpamChange[]): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  for (const change of changes) {
    if (change.kind !== "put-registration") continue;
    const { uuid, class: of, address } = change.registration;
    places.set(uuid, `${of}/${address}`);
  }
  return places;
}

/** The rows among the keys. Throws EdgeError CORRUPT that names the row. */
export function readIpamRows(keys: IpamKeys, rows: readonly KeyRow[]): StoredIpam {
  const below = <T>(prefix: string, read: (row: { key: string; row: string }) => T): T[] =>
    rows
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ key, value }) => read({ key: key.slice(prefix.length), row: value }));
  return {
    classes: below(keys.classes, readClass),
    netblocks: below(keys.netblocks, readNetblock),
    registrations: below(keys.registrations, readRegistration),
    addresses: below(keys.addresses, ({ key, row }) => {
      const [of = "", address = ""] = key.split("/", 2);
      return { class: classOf(of, key), lease: readLease({ key: address, row }) };
    }).toSorted((a, b) => compareText(a.lease.address, b.lease.address)),
  };
}

function classOf(text: string, key: string): Uuid {
  const uuid = parseUuid(text);
  if (uuid === text) return uuid;
  throw makeStoreError({ code: "CORRUPT", message: `damaged row of address ${key}: no class` });
}

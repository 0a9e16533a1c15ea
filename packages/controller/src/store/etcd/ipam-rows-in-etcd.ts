// Which key of etcd each row of the IPAM service has, and what its change writes. Pure. One key an
// address of a class, so that no address can be in two rows.

import { assertNever, compareText } from "@fairlead/model";

import type { EtcdRow } from "../../etcd/list-prefix.ts";
import type { EtcdChange } from "../../etcd/transaction.ts";
import { type IpamChange, type StoredIpam, type Uuid, parseUuid } from "../../ipam/ipam-model.ts";
import { netblockJson, readClass, readNetblock, readRegistration } from "../ipam-rows.ts";
import { readLease } from "../rows.ts";
import { makeStoreError } from "../store-error.ts";
import type { ChangePlace } from "./pieces.ts";

/** The keys of the IPAM service. */
export interface IpamKeys {
  /** All of them begin so. */
  readonly prefix: string;
  readonly term: string;
  readonly classes: string;
  readonly netblocks: string;
  readonly registrations: string;
  /** `<class>/<address>` follows. */
  readonly addresses: string;
}

/** The keys below a base path such as `/fairlead`. */
export function ipamKeys(base: string): IpamKeys {
  const prefix = `${base}/ipam/`;
  return {
    prefix,
    term: `${prefix}term`,
    classes: `${prefix}classes/`,
    netblocks: `${prefix}netblocks/`,
    registrations: `${prefix}registrations/`,
    addresses: `${prefix}addresses/`,
  };
}

/** What a change of the IPAM service does with its key. */
export function toIpamKeyChange(keys: IpamKeys, change: IpamChange): EtcdChange {
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
  { key, value }: EtcdChange,
): ChangePlace {
  const isGone = value === undefined;
  if (key.startsWith(keys.classes)) return { rank: isGone ? 4 : 0 };
  if (key.startsWith(keys.netblocks)) return { rank: isGone ? 3 : 1 };
  if (key.startsWith(keys.addresses)) return { rank: 2, unit: key.slice(keys.addresses.length) };
  const unit = heldBy(key.slice(keys.registrations.length));
  return { rank: 2, ...(unit === undefined ? {} : { unit }) };
}

/** The rows among the keys. Throws EdgeError CORRUPT that names the row. */
export function readIpamRows(keys: IpamKeys, rows: readonly EtcdRow[]): StoredIpam {
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

// Reads which addresses, pool and sharing key a Service asks for. Pure. Two places that
// disagree refuse the claim, and so does an address that cannot be a VIP.

import { type Address, type PoolName, parseAddress, parsePoolName, scopeOf } from "@fairlead/model";

import { type Wish, type WishText, wishTexts } from "./aliases.ts";
import { quote } from "./quote.ts";
import type { RemarkList } from "./remarks.ts";
import type { ServiceObject } from "./service-object.ts";
import { readSourceRanges } from "./source-ranges.ts";

/** Most addresses that a claim may ask for; one a family is served. */
const WISHED_ADDRESSES_MAX = 8;
/** What a sharing key may be: text that is safe to show and to compare. */
const SHARING_KEY_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:/@ -]{0,252}$/u;

/** What a Service asks for. */
export interface ServiceWishes {
  readonly wishedAddresses: readonly Address[];
  readonly wishedPool?: PoolName;
  readonly sharingKey?: string;
  readonly sourceRanges: readonly string[];
}

/** Reads all wishes of this file, saying in `remarks` what is wrong with them. */
export function readWishes(service: ServiceObject, remarks: RemarkList): ServiceWishes {
  const { metadata } = service;
  const pool = readPoolWish(service, remarks);
  const sharingKey = readSharingKey(service, remarks);
  return {
    wishedAddresses: readAddresses(service, remarks),
    ...(pool === undefined ? {} : { wishedPool: pool }),
    ...(sharingKey === undefined ? {} : { sharingKey }),
    sourceRanges: readSourceRanges(service, soleWish("source-ranges", metadata, remarks), remarks),
  };
}

/** The one text of a wish; undefined when there is none, or when two disagree (then refused). */
export function soleWish(
  wish: Wish,
  metadata: ServiceObject["metadata"],
  remarks: RemarkList,
): WishText | undefined {
  const texts = wishTexts(wish, metadata);
  const [first] = texts;
  const other = texts.find((text) => text.text !== first?.text);
  if (first === undefined || other === undefined) return first;
  remarks.refuse("ConflictingWishes", conflict(first, other));
  return undefined;
}

/** A wish that is switched on or off. */
export interface SwitchWish {
  readonly place: string;
  /** Undefined: it is neither true nor false. */
  readonly isOn: boolean | undefined;
  /** What to say where it is neither. */
  readonly problem: string;
}

/** A wish that is `true` or `false`; undefined as with `soleWish`. */
export function readSwitch(
  wish: Wish,
  metadata: ServiceObject["metadata"],
  remarks: RemarkList,
): SwitchWish | undefined {
  const said = soleWish(wish, metadata, remarks);
  if (said === undefined) return undefined;
  const isOn = said.text === "true" || (said.text === "false" ? false : undefined);
  const problem = `${said.place} is ${quote(said.text)}; expected true or false`;
  return { place: said.place, isOn, problem };
}

/** Whether anything is said of it at all. */
export function hasWish(wish: Wish, metadata: ServiceObject["metadata"]): boolean {
  return wishTexts(wish, metadata).length > 0;
}

function conflict(a: WishText, b: WishText): string {
  return `${a.place} says ${quote(a.text)} and ${b.place} says ${quote(b.text)}`;
}

function readAddresses(service: ServiceObject, remarks: RemarkList): readonly Address[] {
  const field = service.spec.loadBalancerIP?.trim() ?? "";
  const texts = [...wishTexts("addresses", service.metadata)];
  if (field !== "") texts.push({ place: "spec.loadBalancerIP", text: field });
  const lists = texts.map((text) => ({ text, addresses: readList(text, remarks) }));
  const [first] = lists;
  if (first === undefined) return [];
  for (const other of lists) {
    if (first.addresses === undefined || other.addresses === undefined) return [];
    // The field has room for one address, so it need only be one of those in an annotation.
    const isField = other.text.place === "spec.loadBalancerIP";
    const agrees = isField
      ? other.addresses.every((address) => first.addresses?.includes(address))
      : sameSet(first.addresses, other.addresses);
    if (agrees) continue;
    remarks.refuse("ConflictingWishes", conflict(first.text, other.text));
    return [];
  }
  return first.addresses ?? [];
}

/** The addresses of one text, none twice; undefined when one of them is refused. */
function readList(from: WishText, remarks: RemarkList): readonly Address[] | undefined {
  // The bound keeps a list of a megabyte from being split.
  const parts = from.text.slice(0, 1000).split(",");
  if (parts.length > WISHED_ADDRESSES_MAX || from.text.length > 1000) {
    remarks.refuse("BadAddress", `${from.place} has more than ${WISHED_ADDRESSES_MAX} addresses`);
    return undefined;
  }
  const addresses: Address[] = [];
  let isGood = true;
  for (const part of parts) {
    const problem = addressProblem(part.trim());
    if (problem === undefined) {
      const address = parseAddress(part.trim());
      if (address !== undefined && !addresses.includes(address)) addresses.push(address);
    } else {
      remarks.refuse("BadAddress", `${from.place}: ${problem}`);
      isGood = false;
    }
  }
  return isGood ? addresses : undefined;
}

function addressProblem(text: string): string | undefined {
  const address = parseAddress(text);
  if (address === undefined) return `${quote(text)} is not an IP address`;
  const scope = scopeOf(address);
  return scope === "unicast" ? undefined : `${address} is ${scope}, not unicast`;
}

function sameSet(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((address) => b.includes(address));
}

function readPoolWish(service: ServiceObject, remarks: RemarkList): PoolName | undefined {
  const wish = soleWish("address-pool", service.metadata, remarks);
  if (wish === undefined) return undefined;
  const name = parsePoolName(wish.text);
  if (name === undefined) {
    remarks.refuse("BadName", `${wish.place}: ${quote(wish.text)} is no pool name`);
  }
  return name;
}

function readSharingKey(service: ServiceObject, remarks: RemarkList): string | undefined {
  const wish = soleWish("sharing-key", service.metadata, remarks);
  if (wish === undefined) return undefined;
  if (SHARING_KEY_PATTERN.test(wish.text)) return wish.text;
  remarks.refuse(
    "BadField",
    `${wish.place}: ${quote(wish.text)} may only have letters, digits, spaces and ._:/@-`,
  );
  return undefined;
}

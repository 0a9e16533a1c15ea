// Messages of nftables (nfnetlink) about the elements of a set whose keys are a device, an address
// and a router id. Pure.

import { parseDeviceName, ROUTER_ID_MAX } from "@fairlead/model";
import type { RouterElement } from "../ports.ts";
import { addressFromBytes } from "./address-bytes.ts";
import { attribute, attributesOf, eachAttribute } from "./attributes.ts";

/** NFT_MSG_GETSETELEM of NFNL_SUBSYS_NFTABLES (linux/netfilter/nf_tables.h). */
export const ELEMENTS_GET = 0xa0d;
/** NFPROTO_INET, as struct nfgenmsg says it. */
const INET = Buffer.of(1, 0, 0, 0);
/** Attributes of the list, of an element of it, and of a key. */
const LIST = { table: 1, set: 2, elements: 3 } as const;
const ELEMENT = { key: 1, expiration: 5 } as const;
const DATA_VALUE = 1;
/** IFNAMSIZ; what follows in a key begins at multiples of four bytes. */
const DEVICE_BYTES = 16;
const ROUTER_ID_BYTES = 4;

/** The payload that asks for the elements of a set of a table of family inet. */
export function elementsOf(table: string, set: string): Buffer {
  const texts = [attribute(LIST.table, textBytes(table)), attribute(LIST.set, textBytes(set))];
  return Buffer.concat([INET, ...texts]);
}

/** The routers of one answer. What does not read is left out. */
export function routersOf(payload: Buffer): readonly RouterElement[] {
  const list = attributesOf(payload.subarray(INET.length)).get(LIST.elements);
  return eachAttribute(list).flatMap(([, element]): readonly RouterElement[] => {
    const parts = attributesOf(element);
    const router = routerOf(attributesOf(parts.get(ELEMENT.key)).get(DATA_VALUE));
    const expires = parts.get(ELEMENT.expiration);
    if (router === undefined || expires?.length !== 8) return [];
    return [{ ...router, expiresMs: Number(expires.readBigUInt64BE()) }];
  });
}

/**
 * The ruleset that an answer is of: struct nfgenmsg has the low bits of its generation, which each
 * transaction raises. NLM_F_DUMP_INTR is not set for elements (measured).
 */
export function generationOf(payload: Buffer): number {
  return payload.length < INET.length ? 0 : payload.readUInt16BE(2);
}

function routerOf(key: Buffer | undefined): Omit<RouterElement, "expiresMs"> | undefined {
  if (key === undefined || key.length < DEVICE_BYTES + ROUTER_ID_BYTES) return undefined;
  const [name = ""] = key.toString("latin1", 0, DEVICE_BYTES).split("\0");
  const link = parseDeviceName(name);
  const source = addressFromBytes(key.subarray(DEVICE_BYTES, -ROUTER_ID_BYTES));
  const routerId = key.readUInt8(key.length - ROUTER_ID_BYTES);
  if (link === undefined || source === undefined) return undefined;
  return routerId >= 1 && routerId <= ROUTER_ID_MAX ? { routerId, source, link } : undefined;
}

function textBytes(text: string): Buffer {
  return Buffer.from(`${text}\0`, "latin1");
}

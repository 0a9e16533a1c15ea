// Lists of JSON as text that an object of a cluster can hold: by gzip, in base64, as rows are much
// alike. Pure but for the threads that pack. What unpacks to more than ours ever does is refused.

import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

import { makeStoreError } from "../store-error.ts";

/** etcd takes 1.5 MB for one object, in characters; some are left for all else that it has. */
export const PACKED_CHARACTERS_MAX = 1_200_000;
/** What unpacks to more is none of ours, in bytes. */
const BYTES_MAX = 64 * 1024 * 1024;

/** Packs a list; the list is read before this returns. Nothing is the empty text. */
export async function packList(list: readonly unknown[]): Promise<string> {
  if (list.length === 0) return "";
  return (await promisify(gzip)(JSON.stringify(list))).toString("base64");
}

/**
 * Unpacks it. Rejects with EdgeError CORRUPT for what is no list.
 * @param what whose it is, for people: `journal`.
 */
export async function unpackList(packed: string, what: string): Promise<readonly unknown[]> {
  if (packed === "") return [];
  let list: unknown;
  try {
    const bytes = Buffer.from(packed, "base64");
    const text = await promisify(gunzip)(bytes, { maxOutputLength: BYTES_MAX });
    list = JSON.parse(text.toString("utf8"));
  } catch (cause) {
    throw makeStoreError({ code: "CORRUPT", message: `damaged ${what}: it is not packed`, cause });
  }
  if (isList(list)) return list;
  throw makeStoreError({ code: "CORRUPT", message: `damaged ${what}: it is no list` });
}

/** Whether a parsed value is a list, of which nothing more is known. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

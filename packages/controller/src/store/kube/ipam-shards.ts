// Rows of the IPAM service as objects of a cluster: few of them, each with many rows, packed. Pure
// but for packing. Which rows stand together is told by their keys alone, for ever: rows that are
// renewed together are written together, and nobody has to look for one.

import { escapeBounded } from "@fairlead/runtime";

import { childOf, type Json, textOf } from "../../kube/object-fields.ts";
import type { KeyChange } from "../pieces.ts";
import { makeStoreError } from "../store-error.ts";
import { isList, packList, unpackList } from "./packed.ts";
import { API_ROOT, readEpoch, storedObject, type WrittenAt } from "./stored-objects.ts";

/** Where they are served. */
export const SHARDS_PATH: string = `${API_ROOT}/ipamshards`;

/**
 * How many objects the rows of a kind have. With as many as the service takes at all, which are
 * 100 000 registrations, an object of them has some 100 KB. No number here may ever change.
 */
const SHARDS: ReadonlyMap<string, number> = new Map([
  ["classes", 1],
  ["netblocks", 16],
  ["registrations", 64],
  ["addresses", 64],
]);
/** A longer name is cut in messages. */
const NAME_CHARACTERS_MAX = 80;

/** The name of the object that a row stands in: `registrations-07`. */
export function shardOf(key: string): string {
  const [kind = ""] = key.split("/", 1);
  return `${kind}-${String(fnv1a(key) % (SHARDS.get(kind) ?? 1)).padStart(2, "0")}`;
}

/** The hash of Fowler, Noll and Vo in 32 bits: quick, and even enough for keys that differ. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

/** An object as it was read. */
export interface StoredShard {
  readonly name: string;
  readonly resourceVersion: string;
  /** Of the controller that wrote it; 0 where a hand did. */
  readonly epoch: number;
  /** Texts of rows by their keys. */
  readonly rows: ReadonlyMap<string, string>;
}

/** Reads it. Rejects with EdgeError CORRUPT that names the object. */
export async function readShard(object: Json): Promise<StoredShard> {
  const metadata = childOf(object, "metadata");
  const name = textOf(metadata, "name") ?? "";
  const what = `object ipamshards ${escapeBounded(name, NAME_CHARACTERS_MAX)}`;
  const rows = new Map<string, string>();
  for (const { key, value } of await unpackRows(textOf(childOf(object, "spec"), "rows"), what)) {
    if (value === undefined || shardOf(key) !== name) {
      const row = escapeBounded(key, NAME_CHARACTERS_MAX);
      throw makeStoreError({ code: "CORRUPT", message: `damaged ${what}: it holds ${row}` });
    }
    rows.set(key, value);
  }
  return {
    name,
    resourceVersion: textOf(metadata, "resourceVersion") ?? "",
    epoch: readEpoch(object),
    rows,
  };
}

/** The object as it is written. */
export function shardObject(name: string, packed: string, at: WrittenAt): Json {
  return storedObject({ kind: "IpamShard", name }, { rows: packed }, at);
}

/** Packs rows and deletions; they are read before this returns. */
export function packRows(changes: Iterable<KeyChange>): Promise<string> {
  return packList(Array.from(changes, ({ key, value }) => [key, value ?? null]));
}

/** Unpacks them. Rejects with EdgeError CORRUPT that names whose they are. */
export async function unpackRows(
  packed: string | undefined,
  what: string,
): Promise<readonly KeyChange[]> {
  return (await unpackList(packed ?? "", what)).map((pair): KeyChange => {
    const [key, value] = isList(pair) ? pair : [];
    if (typeof key === "string" && typeof value === "string") return { key, value };
    if (typeof key === "string" && value === null) return { key, value: undefined };
    throw makeStoreError({ code: "CORRUPT", message: `damaged ${what}: it holds no rows` });
  });
}

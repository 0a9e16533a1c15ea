// All that a cluster holds of the IPAM service, read whole: the journal first and the objects after
// it, so that what the journal no longer has is in them. Given a client. Rows that do not fit
// together are named and refused.

import { compareText } from "@fairlead/model";

import type { StoredIpam } from "../../ipam/ipam-model.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import { listPages } from "../../kube/list-pages.ts";
import type { Json } from "../../kube/object-fields.ts";
import { type IpamKeys, readIpamRows } from "../ipam-row-keys.ts";
import { createIpamTable, type IpamTable } from "../ipam-table.ts";
import type { KeyChange } from "../pieces.ts";
import { readShard, SHARDS_PATH, type StoredShard, unpackRows } from "./ipam-shards.ts";
import { type Journal, readJournal } from "./journal.ts";

/** Objects of one page: some 100 KB each where there are very many rows. */
const PAGE_OBJECTS = 20;

/** What was read. */
export interface LoadedIpam {
  /** Undefined: there is none. */
  readonly journal: Journal | undefined;
  readonly shards: readonly StoredShard[];
  /** The journal's changes, which shards may not show. */
  readonly changes: readonly KeyChange[];
  /** The highest epoch that one of them was written under; 0 without any. */
  readonly epochMax: number;
  /** What they come to together. */
  readonly stored: StoredIpam;
  readonly table: IpamTable;
}

/** Reads it. Rejects with a KubeError, or with EdgeError CORRUPT. */
export async function loadIpam(client: KubeClient, keys: IpamKeys): Promise<LoadedIpam> {
  const journal = await readJournal(client, "ipam");
  const shards = await Promise.all((await listShards(client)).map(readShard));
  const changes = await unpackRows(journal?.packed, "journal of the IPAM");
  const rows = new Map(shards.flatMap((shard) => [...shard.rows]));
  for (const { key, value } of changes) {
    if (value === undefined) rows.delete(key);
    else rows.set(key, value);
  }
  const sorted = [...rows].toSorted(([a], [b]) => compareText(a, b));
  const stored = readIpamRows(
    keys,
    sorted.map(([key, value]) => ({ key, value })),
  );
  return {
    journal,
    shards,
    changes,
    epochMax: Math.max(journal?.epoch ?? 0, ...shards.map(({ epoch }) => epoch)),
    stored,
    table: createIpamTable(stored),
  };
}

async function listShards(client: KubeClient): Promise<readonly Json[]> {
  let objects: Json[] = [];
  await listPages({
    client,
    path: SHARDS_PATH,
    pageObjects: PAGE_OBJECTS,
    signal: new AbortController().signal,
    onPage: (items) => objects.push(...items),
    onRestart: () => {
      objects = [];
    },
  });
  return objects;
}

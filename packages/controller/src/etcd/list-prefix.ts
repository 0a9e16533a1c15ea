// All keys of etcd that begin alike, page by page at one revision. Given the client of one member.
// It follows nothing, and reads keys as text without judging them.

import type { IKeyValue, KVClient } from "etcd3";

/** Keys a page: a row has some hundred bytes, and an answer is held in memory whole. */
const PAGE_KEYS = 2000;

/** A key as etcd has it. */
export interface EtcdRow {
  readonly key: string;
  readonly value: string;
  /** The revision of its last change. */
  readonly revision: bigint;
}

/** All keys of a prefix at one moment. */
export interface EtcdList {
  readonly revision: bigint;
  /** In the order of their bytes. */
  readonly rows: readonly EtcdRow[];
}

/** How a call is made. */
export interface CallLimits {
  /** Epoch ms. */
  readonly deadline: number;
}

/**
 * Reads all of them, no older than the call. `limits` is asked for each page: how many there are
 * is known by reading them, so only a page can be late.
 */
export async function listPrefix(
  kv: KVClient,
  prefix: string,
  limits: () => CallLimits,
): Promise<EtcdList> {
  const end = prefixEnd(prefix);
  const rows: EtcdRow[] = [];
  let key = Buffer.from(prefix);
  let revision = "0";
  for (;;) {
    // The first page is read by the whole cluster's word, the others as of the same revision.
    const page = await kv.range({ key, range_end: end, limit: PAGE_KEYS, revision }, limits());
    if (revision === "0") ({ revision } = page.header);
    for (const row of page.kvs) rows.push(readRow(row));
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return { revision: BigInt(revision), rows };
    key = Buffer.concat([last.key, Buffer.of(0)]);
  }
}

/** A key as text; what is no text of ours is still told apart. */
export function readRow({ key, value, mod_revision: revision }: IKeyValue): EtcdRow {
  return {
    key: key.toString("utf8"),
    value: value.toString("utf8"),
    revision: BigInt(revision),
  };
}

/** The first key after all that begin so. A prefix of ours ends in a character below 0xff. */
export function prefixEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  const at = end.length - 1;
  end[at] = (end[at] ?? 0) + 1;
  return end;
}

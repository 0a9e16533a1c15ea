// AddressPools of a cluster, as one more kind that is followed. Its definition may be missing: then
// there are none, and the kind is asked for again. Given who wants to know; it turns what it sees
// into facts, and keeps the records that their status is written by.

import { type AddressPool, type Finding, type PoolName, parsePoolName } from "@fairlead/model";

import type { Fact } from "../../facts.ts";
import { childOf, type Json, textOf } from "../../kube/object-fields.ts";
import { type PoolRecord, type PoolRecords, POOLS_PATH } from "../../kube/pool-record.ts";
import type { BadObject } from "../objects.ts";
import { type Followed, type FollowContext, followKind } from "./follow-kind.ts";
import { isUsable, type ReadObject, readOneObject } from "./read-object.ts";

/** One AddressPool as it was seen. */
interface PoolReading {
  readonly object: ReadObject;
  readonly record: PoolRecord;
}

/** AddressPools that are followed. */
export interface PoolKind extends Omit<Followed<unknown>, "entries" | "isSynced"> {
  readonly records: PoolRecords;
  isSynced(): boolean;
  /** How many there are. */
  size(): number;
  /** Facts about what changed since the last call. */
  takeFacts(): readonly Fact[];
  /** Pools that a list shows as there; what a list lacks stays until it is known to be gone. */
  names(): ReadonlySet<PoolName>;
}

/** Makes it; nothing is asked before `start`. */
export function followPools(context: FollowContext, origin: string): PoolKind {
  const { source } = context;
  const watchers = new Set<() => void>();
  const said = new Map<string, AddressPool>();
  const findings = new Map<string, Finding>();
  let waiting: Fact[] = [];

  const followed = followKind<PoolReading>(context, {
    kind: {
      resource: "addresspools",
      group: "fairlead.io",
      installedBy: "deploy/crds/addresspools.yaml",
    },
    path: POOLS_PATH,
    read: (object) => readPoolObject(object, origin),
    onChanges: (changes) => {
      for (const { kind, entry } of changes) {
        if (kind === "gone") forget(entry.key);
        else if (kind === "upsert") take(entry.key, entry.value);
      }
      for (const tell of watchers) tell();
    },
  });

  function take(key: string, { object }: PoolReading): void {
    if (!isUsable(object)) {
      // An object that cannot be used ends nothing: the pool that it was stays in force.
      const finding = findingOf(object);
      findings.set(key, finding);
      waiting.push({ kind: "finding", source, finding });
      return;
    }
    clearFinding(key);
    if (object.kind !== "AddressPool") return;
    said.set(key, object.value);
    waiting.push({ kind: "pool-seen", source, pool: object.value });
  }

  function forget(key: string): void {
    clearFinding(key);
    const pool = said.get(key);
    if (pool === undefined) return;
    said.delete(key);
    waiting.push({ kind: "pool-gone", source, name: pool.name, how: "seen-deleted" });
  }

  function clearFinding(key: string): void {
    const finding = findings.get(key);
    if (finding === undefined) return;
    findings.delete(key);
    const { subject, name } = finding;
    waiting.push({ kind: "finding-cleared", source, subject, name });
  }

  return {
    records: {
      all: () => Array.from(followed.entries.values(), ({ value }) => value.record),
      subscribe: (onChange) => {
        watchers.add(onChange);
        return () => void watchers.delete(onChange);
      },
    },
    size: () => followed.entries.size,
    takeFacts: () => {
      const facts = waiting;
      waiting = [];
      return facts;
    },
    names: () => new Set([...followed.entries.keys()].flatMap((key) => parsePoolName(key) ?? [])),
    isSynced: () => followed.isSynced(),
    isSettled: () => followed.isSettled(),
    counts: () => followed.counts(),
    start: () => followed.start(),
    end: () => followed.end(),
  };
}

/** Of a pool by its name, as a folder has it; of what has no name as of any object. */
function findingOf({ identity, title, reason, detail }: BadObject): Finding {
  if (identity === undefined) return { subject: "object", name: title, reason, detail };
  return { subject: "pool", name: identity.name, reason, detail };
}

function readPoolObject(object: Json, origin: string): PoolReading {
  const metadata = childOf(object, "metadata");
  const group = { apiVersion: "fairlead.io/v1alpha1", kind: "AddressPool" };
  const { annotations: _, managedFields: __, ...trimmed } = metadata;
  const read = readOneObject({ ...object, ...group, metadata: trimmed }, origin);
  const { generation } = metadata;
  const record: PoolRecord = {
    name: textOf(metadata, "name") ?? "",
    uid: textOf(metadata, "uid") ?? "",
    resourceVersion: textOf(metadata, "resourceVersion") ?? "",
    generation: typeof generation === "number" ? generation : 0,
    reading: readingOf(read),
    status: object["status"],
  };
  return { object: read, record };
}

function readingOf(object: ReadObject): PoolRecord["reading"] {
  if (isUsable(object) && object.kind === "AddressPool") {
    return { kind: "pool", pool: object.value };
  }
  const bad = { reason: "BadField", detail: "it is no AddressPool" } as const;
  const { reason, detail } = isUsable(object) ? bad : object;
  return { kind: "bad", problem: { reason, detail } };
}

// All rows' objects of a store, read whole, and what they come to with the journal's changes. Given
// a client. Every object is parsed strictly, so that a store with one that a hand has damaged is
// not opened at all.

import { isDeepStrictEqual } from "node:util";

import { type Intent, type Lane, type LeasedAddress, compareText } from "@fairlead/model";

import type { KubeClient } from "../../kube/kube-client.ts";
import { listPages } from "../../kube/list-pages.ts";
import type { StoreChange, StoredState } from "../../ports.ts";
import {
  API_ROOT,
  keyOfChange,
  keyText,
  readObject,
  ROW_RESOURCES,
  type RowResource,
  rowOfChange,
  type StoredObject,
} from "./stored-objects.ts";

/** Objects of one page: small ones, read before anything else is done. */
const PAGE_OBJECTS = 1000;

/** Everything that rows' objects say. */
export interface StoredRows {
  /** Versions of objects, by key. */
  readonly versions: Map<string, string>;
  /** The highest epoch that one of them was written under; 0 without any. */
  readonly epochMax: number;
  /** Whether the objects show a change already. */
  shows(change: StoreChange): boolean;
  /** The rows as they are once the changes are made. */
  stateAfter(changes: readonly StoreChange[]): Omit<StoredState, "epoch">;
}

/** Reads them. Rejects with a KubeError, or with EdgeError CORRUPT. */
export async function readRows(client: KubeClient): Promise<StoredRows> {
  const lists = await Promise.all(ROW_RESOURCES.map((resource) => readKind(client, resource)));
  const objects = new Map(lists.flat().map((object) => [keyText(object.key), object]));
  const rows = new Map(Array.from(objects, ([key, { change }]) => [key, change]));
  return {
    versions: new Map(Array.from(objects, ([key, object]) => [key, object.resourceVersion])),
    epochMax: Math.max(0, ...Array.from(objects.values(), ({ epoch }) => epoch)),
    shows: (change) => {
      const shown = rows.get(keyText(keyOfChange(change)));
      const row = rowOfChange(change);
      if (shown === undefined || row === undefined) return shown === row;
      return isDeepStrictEqual(rowOfChange(shown), row);
    },
    stateAfter: (changes) => {
      const after = new Map(rows);
      for (const change of changes) after.set(keyText(keyOfChange(change)), change);
      return stateOf([...after.values()]);
    },
  };
}

async function readKind(
  client: KubeClient,
  resource: RowResource,
): Promise<readonly StoredObject[]> {
  let objects: StoredObject[] = [];
  await listPages({
    client,
    path: `${API_ROOT}/${resource}`,
    pageObjects: PAGE_OBJECTS,
    signal: new AbortController().signal,
    onPage: (items) => {
      for (const item of items) objects.push(readObject(resource, item));
    },
    onRestart: () => {
      objects = [];
    },
  });
  return objects;
}

function stateOf(changes: readonly StoreChange[]): Omit<StoredState, "epoch"> {
  const leases: LeasedAddress[] = [];
  const lanes: Lane[] = [];
  const intents: Intent[] = [];
  for (const change of changes) {
    if (change.kind === "put-lease") leases.push(change.lease);
    if (change.kind === "put-lane") lanes.push(change.lane);
    if (change.kind === "put-intent") intents.push(change.intent);
  }
  return {
    leases: leases.toSorted((a, b) => compareText(a.address, b.address)),
    lanes: lanes.toSorted((a, b) => compareText(a.id, b.id)),
    intents: intents.toSorted((a, b) => compareText(a.id, b.id)),
  };
}

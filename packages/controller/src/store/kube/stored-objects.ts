// Rows of the store as objects of the API server and back: their kinds, names and versions. Pure.
// What is read is parsed strictly; an object that a hand has changed is named and refused.

import {
  type Intent,
  type Lane,
  type LeasedAddress,
  assertNever,
  parseAddress,
} from "@fairlead/model";
import { escapeBounded } from "@fairlead/runtime";
import { parseLaneId } from "@fairlead/wire";

import { childOf, type Json, textOf } from "../../kube/object-fields.ts";
import type { StoreChange } from "../../ports.ts";
import { readIntent, readLane, readLease } from "../rows.ts";
import { makeStoreError } from "../store-error.ts";
import { addressName, intentName, laneName } from "./object-names.ts";

/** Of all the store's kinds. */
export const API_VERSION = "fairlead.io/v1alpha1";
/** Where they are served. */
export const API_ROOT: string = `/apis/${API_VERSION}`;

/** A kind of rows. */
export type RowResource = "addressleases" | "vrrplanes" | "operatorintents";

/** All of them. */
export const ROW_RESOURCES: readonly RowResource[] = [
  "addressleases",
  "vrrplanes",
  "operatorintents",
];

/** A longer name is cut in messages. */
const NAME_CHARACTERS_MAX = 80;

const KINDS: Readonly<Record<RowResource, string>> = {
  addressleases: "AddressLease",
  vrrplanes: "VrrpLane",
  operatorintents: "OperatorIntent",
};

/** The object of one row. */
export interface RowKey {
  readonly resource: RowResource;
  readonly name: string;
}

/** `addressleases/192.0.2.10`: a key as text. */
export function keyText({ resource, name }: RowKey): string {
  return `${resource}/${name}`;
}

/** The object that a change is about. */
export function keyOfChange(change: StoreChange): RowKey {
  switch (change.kind) {
    case "put-lease":
      return { resource: "addressleases", name: addressName(change.lease.address) };
    case "delete-lease":
      return { resource: "addressleases", name: addressName(change.address) };
    case "put-lane":
      return { resource: "vrrplanes", name: laneName(change.lane.id) };
    case "delete-lane":
      return { resource: "vrrplanes", name: laneName(change.lane) };
    case "put-intent":
      return { resource: "operatorintents", name: intentName(change.intent.id) };
    case "delete-intent":
      return { resource: "operatorintents", name: intentName(change.id) };
    default:
      return assertNever(change, "unknown change of the store");
  }
}

/** The row that a change puts; undefined for a deletion. */
export function rowOfChange(change: StoreChange): LeasedAddress | Lane | Intent | undefined {
  switch (change.kind) {
    case "put-lease":
      return change.lease;
    case "put-lane":
      return change.lane;
    case "put-intent":
      return change.intent;
    default:
      return undefined;
  }
}

/** The object of a row as it is written. */
export function rowObject(
  { resource, name }: RowKey,
  row: LeasedAddress | Lane | Intent,
  at: WrittenAt,
): Json {
  return storedObject({ kind: KINDS[resource], name }, row, at);
}

/** Under which epoch an object is written, and over which version; undefined: it is new. */
export interface WrittenAt {
  readonly epoch: number;
  readonly resourceVersion: string | undefined;
}

/** An object of the store as it is written. */
export function storedObject(
  { kind, name }: { readonly kind: string; readonly name: string },
  spec: object,
  { epoch, resourceVersion }: WrittenAt,
): Json {
  const version = resourceVersion === undefined ? {} : { resourceVersion };
  return { apiVersion: API_VERSION, kind, metadata: { name, ...version }, epoch, spec };
}

/** An object as it was read: the change that would put its row, and its version. */
export interface StoredObject {
  readonly key: RowKey;
  readonly change: StoreChange;
  readonly resourceVersion: string;
  /** Of the controller that wrote it; 0 where a hand did. */
  readonly epoch: number;
}

/** Reads it. Throws EdgeError CORRUPT that names the object. */
export function readObject(resource: RowResource, object: Json): StoredObject {
  const metadata = childOf(object, "metadata");
  const name = textOf(metadata, "name") ?? "";
  const change = readChange(resource, childOf(object, "spec"));
  const key = keyOfChange(change);
  if (key.name !== name) {
    const what = `${resource} ${escapeBounded(name, NAME_CHARACTERS_MAX)}`;
    const message = `damaged object ${what}: it holds the row of ${key.name}`;
    throw makeStoreError({ code: "CORRUPT", message });
  }
  return {
    key,
    change,
    resourceVersion: textOf(metadata, "resourceVersion") ?? "",
    epoch: readEpoch(object),
  };
}

/** The epoch that an object was written under; 0 where it has none. */
export function readEpoch(object: Json): number {
  const { epoch } = object;
  return typeof epoch === "number" && Number.isSafeInteger(epoch) && epoch > 0 ? epoch : 0;
}

/** Reads a change as the journal keeps it. Throws EdgeError CORRUPT. */
export function readChangeJson(value: Json): StoreChange {
  const kind = textOf(value, "kind") ?? "";
  switch (kind) {
    case "put-lease":
      return readChange("addressleases", childOf(value, "lease"));
    case "put-lane":
      return readChange("vrrplanes", childOf(value, "lane"));
    case "put-intent":
      return readChange("operatorintents", childOf(value, "intent"));
    default:
      return readDeletion(kind, value);
  }
}

function readChange(resource: RowResource, spec: Json): StoreChange {
  const row = JSON.stringify(spec);
  switch (resource) {
    case "addressleases":
      return { kind: "put-lease", lease: readLease({ key: spec["address"], row }) };
    case "vrrplanes":
      return { kind: "put-lane", lane: readLane({ key: spec["id"], row }) };
    case "operatorintents":
      return { kind: "put-intent", intent: readIntent({ key: spec["id"], row }) };
    default:
      return assertNever(resource, "unknown kind of rows");
  }
}

function readDeletion(kind: string, value: Json): StoreChange {
  const address = parseAddress(textOf(value, "address") ?? "");
  if (kind === "delete-lease" && address !== undefined) return { kind, address };
  const lane = parseLaneId(textOf(value, "lane") ?? "")?.lane;
  if (kind === "delete-lane" && lane !== undefined) return { kind, lane };
  const id = textOf(value, "id");
  if (kind === "delete-intent" && id !== undefined) return { kind, id };
  const what = escapeBounded(JSON.stringify(value), NAME_CHARACTERS_MAX);
  throw makeStoreError({ code: "CORRUPT", message: `damaged journal: no change is ${what}` });
}

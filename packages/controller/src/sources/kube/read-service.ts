// Reads a Service as an API server gives it: what it asks for, and its record. Whatever else it
// carries is let go here, so that ten thousand of them stay small. Pure.

import { ALIASES, PREFIX } from "../aliases.ts";
import {
  CONDITION_PREFIX,
  type FieldWriter,
  type RecordedCondition,
  type RecordedIngress,
  type ServiceRecord,
} from "../../kube/service-record.ts";
import { type ReadObject, readOneObject } from "./read-object.ts";
import { childOf, isJson, type Json, textOf } from "./object-meta.ts";

/** A Service as it is kept. */
export interface ServiceReading {
  readonly object: ReadObject;
  readonly record: ServiceRecord;
  /** Whether somebody is to write EndpointSlices for it. */
  readonly hasSelector: boolean;
}

/** Annotations that mean something here; the rest may be 256 KiB of anything. */
const ANNOTATIONS: ReadonlySet<string> = new Set(Object.values(ALIASES).flat());
/** Most writers, conditions and addresses of one Service that are kept. */
const KEPT_MAX = 20;
/** A longer text of a condition or a manager is cut. */
const TEXT_CHARACTERS_MAX = 1024;

/** Reads one. `origin` says where it was seen, for people. */
export function readService(object: Json, origin: string): ServiceReading {
  const metadata = childOf(object, "metadata");
  const trimmed = {
    ...object,
    apiVersion: "v1",
    kind: "Service",
    status: undefined,
    metadata: {
      ...metadata,
      annotations: usedAnnotations(childOf(metadata, "annotations")),
      managedFields: statusWriters(listOf(metadata, "managedFields")),
    },
  };
  const hasSelector = Object.keys(childOf(childOf(object, "spec"), "selector")).length > 0;
  return { object: readOneObject(trimmed, origin), record: readRecord(object), hasSelector };
}

function readRecord(object: Json): ServiceRecord {
  const metadata = childOf(object, "metadata");
  const status = childOf(object, "status");
  const { generation } = metadata;
  return {
    namespace: textOf(metadata, "namespace") ?? "",
    name: textOf(metadata, "name") ?? "",
    uid: textOf(metadata, "uid") ?? "",
    resourceVersion: textOf(metadata, "resourceVersion") ?? "",
    generation: typeof generation === "number" ? generation : 0,
    type: textOf(childOf(object, "spec"), "type") ?? "ClusterIP",
    isDeleting: textOf(metadata, "deletionTimestamp") !== undefined,
    finalizers: listOf(metadata, "finalizers").filter((each) => typeof each === "string"),
    ingress: jsonOf(childOf(status, "loadBalancer"), "ingress").map(readIngress),
    conditions: jsonOf(status, "conditions").flatMap(readCondition),
    writers: jsonOf(metadata, "managedFields").flatMap(readWriter),
  };
}

function readIngress(entry: Json): RecordedIngress {
  return copyTexts(entry, ["ip", "hostname", "ipMode"]);
}

function readCondition(entry: Json): readonly RecordedCondition[] {
  const type = textOf(entry, "type") ?? "";
  if (!type.startsWith(CONDITION_PREFIX)) return [];
  const { observedGeneration } = entry;
  return [
    {
      type,
      status: textOf(entry, "status") ?? "",
      reason: textOf(entry, "reason") ?? "",
      message: (textOf(entry, "message") ?? "").slice(0, TEXT_CHARACTERS_MAX),
      lastTransitionTime: textOf(entry, "lastTransitionTime") ?? "",
      ...(typeof observedGeneration === "number" ? { observedGeneration } : {}),
    },
  ];
}

/** Parts of an object by the field that stands for each in managedFields. */
const PARTS: readonly (readonly [part: string, path: readonly string[]])[] = [
  ["spec", ["f:spec"]],
  ["status.loadBalancer", ["f:status", "f:loadBalancer"]],
  ["status.conditions", ["f:status", "f:conditions"]],
  ["finalizers", ["f:metadata", "f:finalizers"]],
];

function readWriter(entry: Json): readonly FieldWriter[] {
  const fields = childOf(entry, "fieldsV1");
  const parts = PARTS.filter(([, path]) => hasPath(fields, path)).map(([part]) => part);
  if (parts.length === 0) return [];
  const manager = (textOf(entry, "manager") ?? "").slice(0, TEXT_CHARACTERS_MAX);
  return [{ manager, parts, ...copyTexts(entry, ["time"]) }];
}

function hasPath(fields: Json, path: readonly string[]): boolean {
  let at: Json = fields;
  for (const step of path) {
    const next = at[step];
    if (!isJson(next)) return false;
    at = next;
  }
  return true;
}

/** Of managedFields only what tells who writes the status of a load balancer. */
function statusWriters(entries: readonly unknown[]): readonly Json[] {
  return entries.filter(isJson).flatMap((entry) => {
    if (!hasPath(childOf(entry, "fieldsV1"), ["f:status", "f:loadBalancer"])) return [];
    const fieldsV1 = { "f:status": { "f:loadBalancer": {} } };
    return [{ ...copyTexts(entry, ["manager", "subresource"]), fieldsV1 }];
  });
}

function usedAnnotations(annotations: Json): Json {
  const used = Object.entries(annotations).filter(
    ([key]) => key.startsWith(PREFIX) || ANNOTATIONS.has(key),
  );
  return Object.fromEntries(used);
}

function copyTexts<K extends string>(
  from: Json,
  keys: readonly K[],
): { readonly [P in K]?: string } {
  const copy: { [P in K]?: string } = {};
  for (const key of keys) {
    const text = textOf(from, key);
    if (text !== undefined) copy[key] = text;
  }
  return copy;
}

function listOf(value: Json, field: string): readonly unknown[] {
  const list = value[field];
  return Array.isArray(list) ? list : [];
}

function jsonOf(value: Json, field: string): readonly Json[] {
  return listOf(value, field).filter(isJson).slice(0, KEPT_MAX);
}

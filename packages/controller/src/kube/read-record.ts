// The record of a Service, read from the object as an API server gives it: in a list, a watch, or
// the answer to a write. Pure. Everything is bounded, so that ten thousand records stay small.

import { childOf, copyTexts, hasPath, isJson, type Json, listOf, textOf } from "./object-fields.ts";
import type { ShareText } from "./shared-texts.ts";
import {
  CONDITION_PREFIX,
  type FieldWriter,
  type RecordedCondition,
  type RecordedIngress,
  type ServiceRecord,
  WRITTEN_EXTERNAL_IPS,
} from "./service-record.ts";

/** Most writers, conditions and addresses of one Service that are kept. */
const KEPT_MAX = 20;
/** A longer text of a condition or a manager is cut. */
const TEXT_CHARACTERS_MAX = 1024;

/**
 * Reads it; what is missing is empty.
 * @param share for records that are kept by the thousand. Default: each text is by itself.
 */
export function readServiceRecord(object: Json, share: ShareText = (text) => text): ServiceRecord {
  const metadata = childOf(object, "metadata");
  const status = childOf(object, "status");
  const { generation } = metadata;
  const externalIPs = textsOf(listOf(childOf(object, "spec"), "externalIPs"));
  const note = textOf(childOf(metadata, "annotations"), WRITTEN_EXTERNAL_IPS) ?? "";
  const written = textsOf(note.split(",").filter((text) => text !== ""));
  return {
    namespace: share(textOf(metadata, "namespace") ?? ""),
    name: textOf(metadata, "name") ?? "",
    uid: textOf(metadata, "uid") ?? "",
    resourceVersion: textOf(metadata, "resourceVersion") ?? "",
    generation: typeof generation === "number" ? generation : 0,
    type: share(textOf(childOf(object, "spec"), "type") ?? "ClusterIP"),
    isDeleting: textOf(metadata, "deletionTimestamp") !== undefined,
    finalizers: textsOf(listOf(metadata, "finalizers")).map(share),
    ingress: readAll(listOf(childOf(status, "loadBalancer"), "ingress"), readIngress),
    ...(externalIPs.length > 0 ? { externalIPs } : {}),
    ...(written.length > 0 ? { writtenExternalIPs: written } : {}),
    conditions: readAll(listOf(status, "conditions"), (entry) => readCondition(entry, share)),
    writers: readAll(listOf(metadata, "managedFields"), (entry) => readWriter(entry, share)),
  };
}

function readAll<T>(
  entries: readonly unknown[],
  read: (entry: Json) => readonly T[],
): readonly T[] {
  return entries.filter(isJson).flatMap(read).slice(0, KEPT_MAX);
}

/** Of externalIPs all are kept: what is left out here would be taken off there. */
function textsOf(entries: readonly unknown[]): readonly string[] {
  return entries.filter((entry) => typeof entry === "string");
}

function readIngress(entry: Json): readonly RecordedIngress[] {
  return [copyTexts(entry, ["ip", "hostname", "ipMode"])];
}

function readCondition(entry: Json, share: ShareText): readonly RecordedCondition[] {
  const type = textOf(entry, "type") ?? "";
  if (!type.startsWith(CONDITION_PREFIX)) return [];
  const { observedGeneration } = entry;
  return [
    {
      type: share(type),
      status: share(textOf(entry, "status") ?? ""),
      reason: share(textOf(entry, "reason") ?? ""),
      message: share((textOf(entry, "message") ?? "").slice(0, TEXT_CHARACTERS_MAX)),
      lastTransitionTime: share(textOf(entry, "lastTransitionTime") ?? ""),
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

/** Each choice of them once, by one bit a part: of ten thousand Services three writers are kept. */
const CHOICES: readonly (readonly string[])[] = Array.from(
  { length: 2 ** PARTS.length },
  (_, bits) => PARTS.filter((_part, at) => (bits & (1 << at)) !== 0).map(([part]) => part),
);

function readWriter(entry: Json, share: ShareText): readonly FieldWriter[] {
  const fields = childOf(entry, "fieldsV1");
  const bits = PARTS.reduce((sum, [, path], at) => sum | (hasPath(fields, path) ? 1 << at : 0), 0);
  const parts = CHOICES[bits] ?? [];
  if (parts.length === 0) return [];
  const manager = share((textOf(entry, "manager") ?? "").slice(0, TEXT_CHARACTERS_MAX));
  const time = textOf(entry, "time");
  return [time === undefined ? { manager, parts } : { manager, parts, time: share(time) }];
}

// Reads a Service as an API server gives it: what it asks for, and its record. Whatever else it
// carries is let go here, so that ten thousand of them stay small. Pure.

import { ALIASES, PREFIX } from "../aliases.ts";
import {
  childOf,
  copyTexts,
  hasPath,
  isJson,
  type Json,
  listOf,
} from "../../kube/object-fields.ts";
import { readServiceRecord } from "../../kube/read-record.ts";
import type { ServiceRecord } from "../../kube/service-record.ts";
import { type ReadObject, readOneObject } from "./read-object.ts";

/** A Service as it is kept. */
export interface ServiceReading {
  readonly object: ReadObject;
  readonly record: ServiceRecord;
  /** Whether somebody is to write EndpointSlices for it. */
  readonly hasSelector: boolean;
}

/** Annotations that mean something here; the rest may be 256 KiB of anything. */
const ANNOTATIONS: ReadonlySet<string> = new Set(Object.values(ALIASES).flat());

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
  return { object: readOneObject(trimmed, origin), record: readServiceRecord(object), hasSelector };
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

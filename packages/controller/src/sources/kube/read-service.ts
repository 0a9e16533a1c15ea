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
import type { ShareText } from "../../kube/shared-texts.ts";
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

/** How Services are read. */
export interface ReadServiceOptions {
  /** Where they were seen, for people. */
  readonly origin: string;
  readonly share: ShareText;
}

/** Reads one. */
export function readService(object: Json, { origin, share }: ReadServiceOptions): ServiceReading {
  const metadata = childOf(object, "metadata");
  const { annotations: _, managedFields: _fields, ...rest } = metadata;
  const annotations = usedAnnotations(childOf(metadata, "annotations"));
  const managedFields = hasAddresses(object)
    ? statusWriters(listOf(metadata, "managedFields"))
    : [];
  const trimmed = {
    ...object,
    apiVersion: "v1",
    kind: "Service",
    status: undefined,
    metadata: {
      ...rest,
      ...(annotations === undefined ? {} : { annotations }),
      ...(managedFields.length === 0 ? {} : { managedFields }),
    },
  };
  const hasSelector = Object.keys(childOf(childOf(object, "spec"), "selector")).length > 0;
  const record = readServiceRecord(object, share);
  return { object: readOneObject(trimmed, origin), record, hasSelector };
}

/** A server goes on naming who wrote addresses that went with the type of the Service. */
function hasAddresses(object: Json): boolean {
  return listOf(childOf(childOf(object, "status"), "loadBalancer"), "ingress").length > 0;
}

/** Of managedFields only what tells who writes the status of a load balancer. */
function statusWriters(entries: readonly unknown[]): readonly Json[] {
  return entries.filter(isJson).flatMap((entry) => {
    if (!hasPath(childOf(entry, "fieldsV1"), ["f:status", "f:loadBalancer"])) return [];
    return [{ ...copyTexts(entry, ["manager", "subresource"]), fieldsV1: STATUS_FIELDS }];
  });
}

/** One for all. */
const STATUS_FIELDS: Json = { "f:status": { "f:loadBalancer": {} } };

/** Undefined: none is used. */
function usedAnnotations(annotations: Json): Json | undefined {
  const used = Object.entries(annotations).filter(
    ([key]) => key.startsWith(PREFIX) || ANNOTATIONS.has(key),
  );
  return used.length === 0 ? undefined : Object.fromEntries(used);
}

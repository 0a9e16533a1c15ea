// Writes as requests to the API server. Pure. Every one carries the uid and the resource version
// that it was decided by: without them a server-side apply makes a deleted object again.

import { createHash } from "node:crypto";

import { assertNever } from "@fairlead/model";

import type { KubeRequest } from "../../kube/kube-client.ts";
import {
  EXTERNAL_MANAGER,
  FINALIZER,
  FINALIZER_MANAGER,
  type ServiceRecord,
  STATUS_MANAGER,
  WRITTEN_EXTERNAL_IPS,
} from "../../kube/service-record.ts";
import type { ExternalIPs } from "./external-ips.ts";
import type { ServiceWrite, WrittenStatus } from "./next-write.ts";

const APPLY = "application/apply-patch+yaml";
const MERGE = "application/merge-patch+json";

/** The request that carries out a write; the answer is the Service as it is then. */
export function writeRequest(write: ServiceWrite): KubeRequest {
  const { record } = write;
  switch (write.kind) {
    case "hold":
      return apply(record, FINALIZER_MANAGER, { metadata: { finalizers: [FINALIZER] } });
    case "release":
      return takeFinalizerOff(record);
    case "status":
      return apply(record, STATUS_MANAGER, { status: statusBody(write.status) });
    case "external":
      return applyExternal(record, write.list);
    case "clear":
      return apply(record, STATUS_MANAGER, { status: {} });
    default:
      return assertNever(write, "a write of no kind");
  }
}

/** Stands for what a write says, without times and version: two that say the same have the same. */
export function writeSignature(write: ServiceWrite): string {
  if (write.kind === "external") return digest(write.list);
  if (write.kind !== "status") return write.kind;
  return digest([write.status.ingress, write.status.conditions.map(withoutTime)]);
}

/** Stands for what of a record a kind of write is about, without times. */
export function recordSignature(kind: ServiceWrite["kind"], record: ServiceRecord): string {
  if (kind === "hold" || kind === "release") return digest(record.finalizers);
  if (kind === "external") return digest([record.externalIPs, record.writtenExternalIPs]);
  return digest([record.type, record.ingress, record.conditions.map(withoutTime)]);
}

function withoutTime(condition: { readonly lastTransitionTime: string }): object {
  return { ...condition, lastTransitionTime: "" };
}

/** Kept for every Service, so it is short. */
function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64");
}

function statusBody({ ingress, conditions }: WrittenStatus): object {
  return { conditions, ...(ingress === undefined ? {} : { loadBalancer: { ingress } }) };
}

function apply(
  record: ServiceRecord,
  manager: string,
  fields: { readonly metadata?: object; readonly spec?: object; readonly status?: object },
): KubeRequest {
  const { namespace, name, uid, resourceVersion } = record;
  return {
    method: "PATCH",
    path: `${servicePath(record)}${fields.status === undefined ? "" : "/status"}`,
    query: { fieldManager: manager, force: "true" },
    contentType: APPLY,
    body: {
      apiVersion: "v1",
      kind: "Service",
      ...fields,
      metadata: { namespace, name, uid, resourceVersion, ...fields.metadata },
    },
  };
}

/** What is applied no more goes, so that a list of others has to be in it as long as it is ours. */
function applyExternal(record: ServiceRecord, { all, ours }: ExternalIPs): KubeRequest {
  const note = { annotations: { [WRITTEN_EXTERNAL_IPS]: ours.join(",") } };
  return apply(record, EXTERNAL_MANAGER, {
    ...(ours.length > 0 ? { metadata: note } : {}),
    ...(all.length > 0 ? { spec: { externalIPs: all } } : {}),
  });
}

/**
 * By a merge patch: a server-side apply takes off only what nobody else owns, and a Service that
 * was restored from a copy came with the finalizer as part of its own.
 */
function takeFinalizerOff(record: ServiceRecord): KubeRequest {
  const { uid, resourceVersion } = record;
  const finalizers = record.finalizers.filter((one) => one !== FINALIZER);
  return {
    method: "PATCH",
    path: servicePath(record),
    query: { fieldManager: FINALIZER_MANAGER },
    contentType: MERGE,
    body: { metadata: { uid, resourceVersion, finalizers } },
  };
}

function servicePath({ namespace, name }: ServiceRecord): string {
  return `/api/v1/namespaces/${namespace}/services/${name}`;
}

// For tests: one Service of a cluster in memory, and what writes make of it: who owns which field,
// what a server-side apply sets and takes back, and what is refused, as a kube-apiserver 1.36 does
// it.

import {
  applyFields,
  type Fields,
  type OwnedFields,
  ownersAfter,
  type Owners,
  takenFrom,
} from "./memory-fields.ts";
import { childOf, isJson, type Json, listOf, textOf } from "./object-fields.ts";
import { WRITTEN_EXTERNAL_IPS } from "./service-record.ts";

/** A Service in memory. Changed in copies alone. */
export interface MemoryService {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly version: number;
  type: string;
  isDeleting: boolean;
  finalizers: readonly string[];
  ingress: readonly Json[];
  /** By type. */
  conditions: ReadonlyMap<string, Json>;
  externalIPs: readonly string[];
  /** The annotation about what in these is ours; empty: it has none. */
  note: string;
  /** Fields by manager: `ingress`, `externalIPs`, `note`, `finalizer NAME`, `condition TYPE`. */
  owned: Owners;
}

/** An apply to the object or its status. */
interface Apply {
  readonly body: Json;
  readonly manager: string;
  readonly part: string;
}

/** A server-side apply with force. */
export function applyTo(before: MemoryService, { body, manager, part }: Apply): MemoryService {
  const { fields, owned } = applyFields(ownedFields(before), wantedFields(body, part), manager);
  return { ...before, ...fromFields(fields), owned };
}

/** What of others it would change, for which it needs force; undefined: nothing. */
export function takenBy(before: MemoryService, { body, manager, part }: Apply): string | undefined {
  return takenFrom(ownedFields(before), wantedFields(body, part), manager);
}

/** A merge patch of the finalizers. */
export function mergeInto(before: MemoryService, body: Json, manager: string): MemoryService {
  const finalizers = listOf(childOf(body, "metadata"), "finalizers").map(String);
  return withOwner(before, { ...before, finalizers }, manager);
}

/** The Service after a change by hand; whoever changed a field owns it alone. */
export function withOwner(
  before: MemoryService,
  changed: MemoryService,
  manager: string,
): MemoryService {
  const after = { ...changed, ingress: changed.ingress.map(withMode) };
  const owned = ownersAfter(ownedFields(before), fieldsOf(after), manager);
  // Addresses go with the type that they belong to; whose they were the server forgets later.
  return { ...after, owned, ...(after.type === "LoadBalancer" ? {} : { ingress: [] }) };
}

/** Why the server does not accept it; undefined: it does. */
export function problemOf(before: MemoryService, after: MemoryService): string | undefined {
  const added = after.finalizers.filter((one) => !before.finalizers.includes(one));
  if (before.isDeleting && added.length > 0) {
    return "metadata.finalizers: Forbidden: no new finalizers can be added if it is being deleted";
  }
  if (after.type !== "LoadBalancer" && after.ingress.length > 0) {
    return "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'";
  }
  return undefined;
}

/** The object as the server answers with it. */
export function serviceJson(service: MemoryService): Json {
  const { namespace, name, uid, version, type, isDeleting, finalizers, ingress } = service;
  const { externalIPs, note } = service;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      namespace,
      name,
      uid,
      resourceVersion: String(version),
      ...(isDeleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
      finalizers,
      ...(note === "" ? {} : { annotations: { [WRITTEN_EXTERNAL_IPS]: note } }),
      managedFields: Array.from(service.owned, ([manager, its]) => ({
        manager,
        operation: "Apply",
        fieldsV1: fieldsV1(its),
      })),
    },
    spec: { type, ...(externalIPs.length > 0 ? { externalIPs } : {}) },
    status: { loadBalancer: { ingress }, conditions: [...service.conditions.values()] },
  };
}

function fieldsV1(owned: ReadonlySet<string>): Json {
  const all = [...owned];
  return {
    ...(all.some((one) => one.startsWith("finalizer "))
      ? { "f:metadata": { "f:finalizers": {} } }
      : {}),
    ...(owned.has("externalIPs") ? { "f:spec": { "f:externalIPs": {} } } : {}),
    "f:status": {
      ...(owned.has("ingress") ? { "f:loadBalancer": { "f:ingress": {} } } : {}),
      ...(all.some((one) => one.startsWith("condition ")) ? { "f:conditions": {} } : {}),
    },
  };
}

function ownedFields(service: MemoryService): OwnedFields {
  return { fields: fieldsOf(service), owned: service.owned };
}

function wantedFields(body: Json, part: string): Fields {
  return part === "status" ? statusFields(body) : objectFields(body);
}

function statusFields(body: Json): Fields {
  const status = childOf(body, "status");
  const balancer = childOf(status, "loadBalancer");
  const fields = new Map<string, unknown>();
  if (balancer["ingress"] !== undefined) {
    fields.set("ingress", listOf(balancer, "ingress").filter(isJson).map(withMode));
  }
  for (const condition of listOf(status, "conditions").filter(isJson)) {
    fields.set(`condition ${textOf(condition, "type")}`, condition);
  }
  return fields;
}

function objectFields(body: Json): Fields {
  const metadata = childOf(body, "metadata");
  const note = textOf(childOf(metadata, "annotations"), WRITTEN_EXTERNAL_IPS) ?? "";
  const externalIPs = listOf(childOf(body, "spec"), "externalIPs").map(String);
  return bareFields(listOf(metadata, "finalizers").map(String), externalIPs, note);
}

function bareFields(
  finalizers: readonly string[],
  externalIPs: readonly string[],
  note: string,
): Map<string, unknown> {
  const fields = new Map<string, unknown>(finalizers.map((one) => [`finalizer ${one}`, one]));
  if (externalIPs.length > 0) fields.set("externalIPs", externalIPs);
  if (note !== "") fields.set("note", note);
  return fields;
}

function fieldsOf(service: MemoryService): Fields {
  const { finalizers, ingress, conditions, externalIPs, note } = service;
  const fields = bareFields(finalizers, externalIPs, note);
  if (ingress.length > 0) fields.set("ingress", ingress);
  for (const [type, condition] of conditions) fields.set(`condition ${type}`, condition);
  return fields;
}

function fromFields(
  fields: Fields,
): Pick<MemoryService, "finalizers" | "ingress" | "conditions" | "externalIPs" | "note"> {
  const named = (kind: string): readonly (readonly [string, unknown])[] =>
    [...fields].flatMap(([field, value]) =>
      field.startsWith(kind) ? [[field.slice(kind.length), value] as const] : [],
    );
  const [ingress, externalIPs] = [fields.get("ingress"), fields.get("externalIPs")];
  const note = fields.get("note");
  return {
    finalizers: named("finalizer ").map(([name]) => name),
    ingress: Array.isArray(ingress) ? ingress.filter(isJson) : [],
    conditions: new Map(
      named("condition ").flatMap(([type, value]) => (isJson(value) ? [[type, value]] : [])),
    ),
    externalIPs: Array.isArray(externalIPs) ? externalIPs.map(String) : [],
    note: typeof note === "string" ? note : "",
  };
}

/** An address without a mode is one that nodes may take for their own. */
function withMode(entry: Json): Json {
  return entry["ip"] === undefined ? entry : { ipMode: "VIP", ...entry };
}

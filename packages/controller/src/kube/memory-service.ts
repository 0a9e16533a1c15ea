// For tests: one Service of a cluster in memory, and what writes make of it: who owns which field,
// what a server-side apply sets and takes back, and what is refused, as a kube-apiserver 1.36 does
// it.

import { isDeepStrictEqual } from "node:util";

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
  owned: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The fields of a Service that have owners, by the names used above. */
type Fields = ReadonlyMap<string, unknown>;

/** A server-side apply with force, to the object or its status. */
export function applyTo(
  before: MemoryService,
  body: Json,
  { manager, part }: { readonly manager: string; readonly part: string },
): MemoryService {
  const wanted = part === "status" ? statusFields(body) : objectFields(body);
  const fields = new Map(fieldsOf(before));
  const owned = new Map(before.owned);
  for (const field of owned.get(manager) ?? []) {
    const isShared = [...owned].some(([other, its]) => other !== manager && its.has(field));
    if (!wanted.has(field) && !isShared) fields.delete(field);
  }
  owned.delete(manager);
  for (const [field, value] of wanted) {
    if (isDeepStrictEqual(fields.get(field), value)) continue;
    for (const [other, its] of owned) owned.set(other, without(its, field));
    fields.set(field, value);
  }
  if (wanted.size > 0) owned.set(manager, new Set(wanted.keys()));
  return { ...before, ...fromFields(fields), owned: withoutEmpty(owned) };
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
  // Addresses go with the type that they belong to.
  const ingress = changed.type === "LoadBalancer" ? changed.ingress.map(withMode) : [];
  const after = { ...changed, ingress };
  const [was, is] = [fieldsOf(before), fieldsOf(after)];
  const owned = new Map(before.owned);
  for (const field of new Set([...was.keys(), ...is.keys()])) {
    if (isDeepStrictEqual(was.get(field), is.get(field))) continue;
    for (const [other, its] of owned) owned.set(other, without(its, field));
    if (is.has(field)) owned.set(manager, new Set([...(owned.get(manager) ?? []), field]));
  }
  return { ...after, owned: withoutEmpty(owned) };
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
    "f:status": {
      ...(owned.has("ingress") ? { "f:loadBalancer": { "f:ingress": {} } } : {}),
      ...(all.some((one) => one.startsWith("condition ")) ? { "f:conditions": {} } : {}),
    },
  };
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
  return { ipMode: "VIP", ...entry };
}

function without(owned: ReadonlySet<string>, field: string): ReadonlySet<string> {
  return owned.has(field) ? new Set([...owned].filter((one) => one !== field)) : owned;
}

function withoutEmpty(owned: MemoryService["owned"]): MemoryService["owned"] {
  return new Map([...owned].filter(([, its]) => its.size > 0));
}

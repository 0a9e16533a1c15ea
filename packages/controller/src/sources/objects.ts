// Reads one parsed document as the objects it declares. Given any value a file may hold; Lists are
// unwrapped, kinds that are not used are passed over, and a bad object is a problem of its own.

import { type AddressPool, isLabel, isSubdomain, type Reason } from "@fairlead/model";
import { nearestWord } from "@fairlead/runtime";
import type { z } from "zod";

import { readPool } from "../config/pool-spec.ts";
import { derivedUid } from "./derived-uid.ts";
import { type NodeObject, nodeSchema } from "./node-object.ts";
import { type ObjectMetadata, readTimestamp } from "./object-metadata.ts";
import { type PoolObject, poolSchema } from "./pool-object.ts";
import { quote } from "./quote.ts";
import { schemaProblem } from "./schema-problem.ts";
import { type ServiceObject, serviceSchema } from "./service-object.ts";
import { type SliceObject, sliceSchema } from "./slice-object.ts";

/** The kinds that are read. */
export type ObjectKind = "Service" | "EndpointSlice" | "Node" | "AddressPool";

/** What tells objects apart, with checked names; the namespace is empty for cluster kinds. */
export interface ObjectIdentity {
  readonly kind: ObjectKind;
  readonly namespace: string;
  readonly name: string;
}

/** One object of a kind that is read. */
export type SourceObject = {
  readonly identity: ObjectIdentity;
  /** As given, or derived from kind, namespace and name. */
  readonly uid: string;
  /** Epoch ms, where the object says so. */
  readonly createdAtMs?: number;
  /** Where it stands, for people: a file's path, escaped. */
  readonly origin: string;
} & (
  | { readonly kind: "Service"; readonly value: ServiceObject }
  | { readonly kind: "EndpointSlice"; readonly value: SliceObject }
  | { readonly kind: "Node"; readonly value: NodeObject }
  | { readonly kind: "AddressPool"; readonly value: AddressPool }
);

/** An object that cannot be used, and why. */
export interface BadObject {
  /** Absent when not even its name can be used. */
  readonly identity?: ObjectIdentity;
  /** Kind and name as people see them, escaped. */
  readonly title: string;
  readonly reason: Reason;
  readonly detail: string;
}

/** The objects of a document, in its order. */
export interface ReadObjects {
  readonly objects: readonly SourceObject[];
  readonly bad: readonly BadObject[];
}

/** Lists inside lists deeper than this are refused: kubectl makes one level. */
const LIST_DEPTH_MAX = 4;
/** Most problems of one pool that are named. */
const PROBLEMS_MAX = 3;

const GROUPS: ReadonlyMap<string, { readonly kind: ObjectKind; readonly cluster: boolean }> =
  new Map([
    ["v1/Service", { kind: "Service", cluster: false }],
    ["discovery.k8s.io/v1/EndpointSlice", { kind: "EndpointSlice", cluster: false }],
    ["v1/Node", { kind: "Node", cluster: true }],
    ["fairlead.io/v1alpha1/AddressPool", { kind: "AddressPool", cluster: true }],
  ]);

/** The key of an object: equal for equal identities. */
export function identityKey(identity: ObjectIdentity): string {
  return `${identity.kind}/${identity.namespace}/${identity.name}`;
}

/** Kind and name as people write them: `Service default/web`, `Node n1`. */
export function identityTitle(identity: ObjectIdentity): string {
  const { kind, namespace, name } = identity;
  return namespace === "" ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** Reads a document's value. `origin` says where it stands, escaped. Never throws. */
export function readObjects(value: unknown, origin: string): ReadObjects {
  const objects: SourceObject[] = [];
  const bad: BadObject[] = [];
  const collect = (item: unknown, depth: number): void => {
    if (item === null || item === undefined) return;
    if (!isRecord(item)) {
      bad.push({ title: "a document", reason: "BadField", detail: "it is not a mapping" });
      return;
    }
    const items = item["items"];
    if (typeof item["kind"] === "string" && item["kind"].endsWith("List") && Array.isArray(items)) {
      if (depth < LIST_DEPTH_MAX) for (const inner of items) collect(typed(inner, item), depth + 1);
      else bad.push({ title: "a List", reason: "ManifestTooComplex", detail: "lists in lists" });
      return;
    }
    const result = readOne(item, origin);
    if (result === undefined) return;
    if ("reason" in result) bad.push(result);
    else objects.push(result);
  };
  collect(value, 0);
  return { objects, bad };
}

/** Items of a `ServiceList` may leave out what the list says of them all; those of a `List` not. */
function typed(inner: unknown, { apiVersion, kind }: Readonly<Record<string, unknown>>): unknown {
  if (kind === "List" || typeof kind !== "string" || !isRecord(inner)) return inner;
  return {
    ...inner,
    apiVersion: inner["apiVersion"] ?? apiVersion,
    kind: inner["kind"] ?? kind.slice(0, -"List".length),
  };
}

function readOne(
  item: Readonly<Record<string, unknown>>,
  origin: string,
): SourceObject | BadObject | undefined {
  const { apiVersion, kind } = item;
  if (typeof apiVersion !== "string" || typeof kind !== "string") {
    const detail = "apiVersion and kind must be text";
    return { title: "an object", reason: "BadField", detail };
  }
  const known = GROUPS.get(`${apiVersion}/${kind}`);
  if (known === undefined) return unknownGroup(apiVersion, kind);
  const named = readIdentity(item, known);
  if ("reason" in named) return named;
  switch (known.kind) {
    case "Service":
      return readAs(serviceSchema, item, named, (value) => ({
        identity: named,
        uid: uidOf(named, value.metadata),
        origin,
        kind: "Service",
        value,
        ...createdAt(value.metadata),
      }));
    case "EndpointSlice":
      return readAs(sliceSchema, item, named, (value) => ({
        identity: named,
        uid: uidOf(named, value.metadata),
        origin,
        kind: "EndpointSlice",
        value,
        ...createdAt(value.metadata),
      }));
    case "Node":
      return readAs(nodeSchema, item, named, (value) => ({
        identity: named,
        uid: uidOf(named, value.metadata),
        origin,
        kind: "Node",
        value,
        ...createdAt(value.metadata),
      }));
    case "AddressPool":
      return readAs(poolSchema, item, named, (value) => readPoolObject(value, named, origin));
  }
}

/**
 * Other versions of our kinds are an error, and so is a kind that is nearly one of ours: nobody
 * else would say of `kind: Servce` why it is not served. Kinds of others are none of our business.
 */
function unknownGroup(apiVersion: string, kind: string): BadObject | undefined {
  const isOurs =
    apiVersion.startsWith("fairlead.io/") ||
    (kind === "EndpointSlice" && apiVersion.startsWith("discovery.k8s.io/"));
  const prefix = `${apiVersion}/`;
  const siblings = [...GROUPS].filter(([group]) => group.startsWith(prefix));
  const near = nearestWord(
    kind,
    siblings.map(([, sibling]) => sibling.kind),
  );
  if (!isOurs && near === undefined) return undefined;
  const hint = near === undefined || near === kind ? "" : `; did you mean ${near}?`;
  const detail = `apiVersion ${quote(apiVersion)} of kind ${quote(kind)} is not known${hint}`;
  return { title: "an object", reason: "BadField", detail };
}

function readIdentity(
  item: Readonly<Record<string, unknown>>,
  known: { readonly kind: ObjectKind; readonly cluster: boolean },
): ObjectIdentity | BadObject {
  const { kind } = known;
  const metadata = isRecord(item["metadata"]) ? item["metadata"] : {};
  const { name, namespace } = metadata;
  if (typeof name !== "string") {
    return { title: `a ${kind}`, reason: "BadField", detail: "metadata.name must be text" };
  }
  const space = known.cluster ? "" : (namespace ?? "default");
  const shown = space === "" || typeof space !== "string" ? quote(name) : quote(`${space}/${name}`);
  const at = `${kind} ${shown}`;
  if (!isSubdomain(name)) {
    return { title: at, reason: "BadName", detail: `metadata.name ${quote(name)} is no name` };
  }
  if (typeof space !== "string") {
    return { title: at, reason: "BadField", detail: "metadata.namespace must be text" };
  }
  const isNamespace = known.cluster || isLabel(space);
  if (isNamespace) return { kind, namespace: space, name };
  const detail = `metadata.namespace ${quote(space)} is no namespace`;
  return { title: at, reason: "BadName", detail };
}

function readAs<T>(
  schema: z.ZodType<T>,
  item: unknown,
  identity: ObjectIdentity,
  make: (value: T) => SourceObject | BadObject,
): SourceObject | BadObject {
  const parsed = schema.safeParse(item);
  if (!parsed.success) return badObject(identity, "BadField", schemaProblem(parsed.error, item));
  const made = make(parsed.data);
  if ("reason" in made || /^[A-Za-z0-9-]{1,128}$/u.test(made.uid)) return made;
  return badObject(identity, "BadField", `metadata.uid ${quote(made.uid)} is no uid`);
}

function readPoolObject(
  { metadata, spec }: PoolObject,
  identity: ObjectIdentity,
  origin: string,
): SourceObject | BadObject {
  const createdAtMs = readTimestamp(metadata.creationTimestamp);
  const reading = readPool({ name: identity.name, origin, createdAtMs, spec });
  if (reading.kind === "ok") {
    const uid = uidOf(identity, metadata);
    const { pool: value } = reading;
    return { identity, uid, origin, kind: "AddressPool", value, ...createdAt(metadata) };
  }
  const { problems } = reading;
  const details = problems.slice(0, PROBLEMS_MAX).map((problem) => problem.detail);
  if (problems.length > PROBLEMS_MAX) details.push(`and ${problems.length - PROBLEMS_MAX} more`);
  return badObject(identity, problems[0]?.reason ?? "BadField", details.join("; "));
}

function badObject(identity: ObjectIdentity, reason: Reason, detail: string): BadObject {
  return { identity, title: identityTitle(identity), reason, detail };
}

function uidOf(identity: ObjectIdentity, { uid }: ObjectMetadata): string {
  return uid ?? derivedUid(identityKey(identity));
}

function createdAt({ creationTimestamp }: ObjectMetadata): Pick<SourceObject, "createdAtMs"> {
  const createdAtMs = readTimestamp(creationTimestamp);
  return createdAtMs === undefined ? {} : { createdAtMs };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

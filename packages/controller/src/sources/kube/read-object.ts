// Reads an object of an API server by the same schemas as one out of a file. Lists leave the kind
// of their items out, so the reader puts it back. Pure.

import { childOf, isJson, type Json } from "../../kube/object-fields.ts";
import { type BadObject, readObjects, type SourceObject } from "../objects.ts";
import { SERVICE_NAME_LABEL } from "../slice-object.ts";

/** An object that can be used, or why it cannot. */
export type ReadObject = SourceObject | BadObject;

/** Reads one whose apiVersion and kind are set. `origin` says where it was seen, for people. */
export function readOneObject(object: Json, origin: string): ReadObject {
  const { objects, bad } = readObjects(object, origin);
  const [read] = [...objects, ...bad];
  if (read !== undefined) return read;
  return { title: "an object", reason: "BadField", detail: "it is of no kind that is read" };
}

/** Whether it can be used. */
export function isUsable(object: ReadObject): object is SourceObject {
  return !("reason" in object);
}

/** An EndpointSlice, with nothing in it that is not used. */
export function readSlice(object: Json, origin: string): ReadObject {
  const group = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" };
  const { name, namespace, uid, labels } = childOf(object, "metadata");
  const metadata = { name, namespace, uid, labels: serviceLabel(labels) };
  return readOneObject({ ...object, ...group, metadata }, origin);
}

/** The one label that says something; what is no set of labels is left to the schema. */
function serviceLabel(labels: unknown): unknown {
  if (!isJson(labels) || !Object.hasOwn(labels, SERVICE_NAME_LABEL)) return labels;
  return { [SERVICE_NAME_LABEL]: labels[SERVICE_NAME_LABEL] };
}

/** A Node, with nothing in it that is not used: its heartbeats change nothing then. */
export function readNode(object: Json, origin: string): ReadObject {
  const group = { apiVersion: "v1", kind: "Node" };
  return readOneObject({ ...object, ...group, metadata: trimmedMetadata(object) }, origin);
}

function trimmedMetadata(object: Json): Json {
  return { ...childOf(object, "metadata"), annotations: undefined, managedFields: undefined };
}

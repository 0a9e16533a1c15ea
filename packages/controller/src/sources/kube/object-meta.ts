// What of an object's metadata is read before anything else is: its name, its uid and its version.
// Given parsed JSON of an API server; what has none of them is no object.

import { childOf, type Json, readVersion, textOf } from "../../kube/object-fields.ts";
import type { ObjectMeta } from "./object-set.ts";

/** Reads it; undefined when it has no name or no uid. */
export function readMeta(object: Json): ObjectMeta | undefined {
  const metadata = childOf(object, "metadata");
  const name = textOf(metadata, "name");
  const uid = textOf(metadata, "uid");
  if (name === undefined || uid === undefined) return undefined;
  const namespace = textOf(metadata, "namespace");
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  return { key, uid, version: readVersion(textOf(metadata, "resourceVersion")) };
}

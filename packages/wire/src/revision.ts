// Content hashes: of one resource, and of a whole plan as the set of its names and revisions. The
// same content has the same revision on every machine. Hashes are remembered by object identity,
// so that the unchanged resources of a large plan cost a look-up.

import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { compareText, type Resource, type ResourceName, type Revision } from "@fairlead/model";
import { ResourceSchema } from "@fairlead/proto";
import { REVISION_BYTES } from "./address-bytes.ts";
import { encodeResource } from "./node-plan-codec.ts";

/** Computes revisions and remembers those of resources. */
export interface Revisions {
  /**
   * The revision of a resource: the first 16 bytes of SHA-256 over its message (name and content),
   * in hex. Fields are written in the order of their numbers and the contract has no maps, so the
   * bytes are the same everywhere.
   */
  readonly revisionOf: (resource: Resource) => Revision;
  /** Bytes of the resource's message without its revision: for cutting updates. */
  readonly sizeOf: (resource: Resource) => number;
  /** The revision of a whole plan; the order of the entries does not matter. No name twice. */
  readonly planRevisionOf: (entries: Iterable<readonly [ResourceName, Revision]>) => Revision;
}

/** Makes an empty memory of revisions. */
export function createRevisions(): Revisions {
  const known = new WeakMap<Resource, Hashed>();

  function hashed(resource: Resource): Hashed {
    const remembered = known.get(resource);
    if (remembered !== undefined) return remembered;
    const bytes = toBinary(ResourceSchema, encodeResource(resource));
    const fresh = { revision: hash(bytes), size: bytes.length };
    known.set(resource, fresh);
    return fresh;
  }

  return {
    revisionOf: (resource) => hashed(resource).revision,
    sizeOf: (resource) => hashed(resource).size,
    planRevisionOf,
  };
}

interface Hashed {
  readonly revision: Revision;
  readonly size: number;
}

function planRevisionOf(entries: Iterable<readonly [ResourceName, Revision]>): Revision {
  const sorted = [...entries].toSorted((a, b) => compareText(a[0], b[0]));
  // Names hold no line ends and revisions are of one length, so no two lists read alike.
  return hash(sorted.map(([name, revision]) => `${name} ${revision}\n`).join(""));
}

function hash(content: Uint8Array | string): Revision {
  const digest = createHash("sha256").update(content).digest();
  return digest.subarray(0, REVISION_BYTES).toString("hex") as Revision;
}

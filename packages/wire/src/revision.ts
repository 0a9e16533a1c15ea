// Content hashes: of one resource, and of a whole plan as the set of its names and revisions. The
// same content has the same revision on every machine. Hashes are remembered by object identity,
// so that the unchanged resources of a large plan cost a look-up.

import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { type Resource, type ResourceName, type Revision, partsOf } from "@fairlead/model";
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
  /**
   * The revision of a whole plan; the order of the entries does not matter. No name twice. Of a map
   * that was patched, the base is summed up once.
   */
  readonly planRevisionOf: (entries: Iterable<readonly [ResourceName, Revision]>) => Revision;
}

/** Makes an empty memory of revisions. */
export function createRevisions(): Revisions {
  const known = new WeakMap<Resource, Hashed>();
  const sums = new WeakMap<ReadonlyMap<ResourceName, Revision>, PlanSum>();

  function hashed(resource: Resource): Hashed {
    const remembered = known.get(resource);
    if (remembered !== undefined) return remembered;
    const bytes = toBinary(ResourceSchema, encodeResource(resource));
    const fresh = { revision: hash(bytes), size: bytes.length };
    known.set(resource, fresh);
    return fresh;
  }

  function sumOfBase(base: ReadonlyMap<ResourceName, Revision>): PlanSum {
    const sum = sums.get(base) ?? sumOf(base);
    sums.set(base, sum);
    return sum;
  }

  function planRevisionOf(entries: Iterable<readonly [ResourceName, Revision]>): Revision {
    const parts = partsOf(entries);
    if (parts === undefined) return hashSum(sumOf(entries));
    const { count, words } = sumOfBase(parts.base);
    const sum = { count, words: words.slice() };
    for (const [name, revision] of parts.patch) {
      const before = parts.base.get(name);
      if (before !== undefined) add(sum, before, -1);
      if (revision !== undefined) add(sum, revision, 1);
    }
    return hashSum(sum);
  }

  return {
    revisionOf: (resource) => hashed(resource).revision,
    sizeOf: (resource) => hashed(resource).size,
    planRevisionOf,
  };
}

/** A revision is read as this many words of 32 bits. */
const REVISION_WORDS = 4;
const HEX_PER_WORD = 8;

interface Hashed {
  readonly revision: Revision;
  readonly size: number;
}

/**
 * A plan's revision is the hash of the sum of all revisions. A resource's revision covers its name,
 * so the names need not be read again; a sum needs no order, and what changes keeps it up to date.
 */
interface PlanSum {
  count: number;
  /** Exact: 2^21 words of 32 bits stay below 2^53. */
  readonly words: Float64Array;
}

function sumOf(entries: Iterable<readonly [ResourceName, Revision]>): PlanSum {
  const sum: PlanSum = { count: 0, words: new Float64Array(REVISION_WORDS) };
  for (const [, revision] of entries) add(sum, revision, 1);
  return sum;
}

function hashSum({ count, words }: PlanSum): Revision {
  return hash(`${count} ${words.join(" ")}`);
}

function add(sum: PlanSum, revision: Revision, sign: 1 | -1): void {
  sum.count += sign;
  for (let word = 0; word < REVISION_WORDS; word += 1) {
    const at = word * HEX_PER_WORD;
    const value = Number.parseInt(revision.slice(at, at + HEX_PER_WORD), 16);
    sum.words[word] = (sum.words[word] ?? 0) + sign * value;
  }
}

function hash(content: Uint8Array | string): Revision {
  const digest = createHash("sha256").update(content).digest();
  return digest.subarray(0, REVISION_BYTES).toString("hex") as Revision;
}

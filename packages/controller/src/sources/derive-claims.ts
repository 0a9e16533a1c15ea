// Turns a whole set of objects into claims and pools, and remembers what it derived: one changed
// Service costs one translation. Given objects with distinct identities; knows no source.

import type { Address, AddressPool, Claim, ClaimId, PoolName } from "@fairlead/model";

import type { NodeObject } from "./node-object.ts";
import type { SourceObject } from "./objects.ts";
import type { ServiceBackend } from "./service-backends.ts";
import { SERVICE_NAME_LABEL, type SliceObject } from "./slice-object.ts";
import {
  type TranslateInput,
  type TranslateSettings,
  claimsEqual,
  translateService,
} from "./translate-service.ts";

/** What a set of objects asks for. */
export interface Derived {
  readonly claims: ReadonlyMap<ClaimId, Claim>;
  readonly pools: ReadonlyMap<PoolName, AddressPool>;
}

/** Derives claims again and again from sets that differ a little. */
export interface ClaimDeriver {
  /**
   * A claim that says the same as before is the very same object as before.
   * @param published what our own status says of Services. Default: nothing.
   */
  derive(objects: Iterable<SourceObject>, published?: Published): Derived;
  /** What stands behind a Service of the last set, by `namespace/name`. */
  backend(key: string): ServiceBackend | undefined;
}

/** Addresses by `NAMESPACE/NAME` of a Service. */
export type Published = ReadonlyMap<string, readonly Address[]>;

interface Memo {
  readonly input: TranslateInput;
  readonly claim: Claim | undefined;
}

/** Makes a deriver that remembers nothing yet. */
export function createClaimDeriver(settings: TranslateSettings): ClaimDeriver {
  let memos: ReadonlyMap<string, Memo> = new Map();
  return {
    backend: (key) => memos.get(key)?.input,
    derive: (objects, published) => {
      const sets = sortOut(objects);
      const claims = new Map<ClaimId, Claim>();
      const next = new Map<string, Memo>();
      // Nodes are members only where they are asked for; else their changes touch no claim.
      const nodes = settings.members === "nodes" ? sets.nodes : [];
      for (const object of sets.services) {
        const key = `${object.identity.namespace}/${object.identity.name}`;
        const slices = sets.slices.get(key) ?? [];
        const { identity, uid, origin, createdAtMs } = object;
        const service = object.value;
        const statusAddresses = published?.get(key) ?? [];
        const made = { identity, uid, origin, createdAtMs };
        const input = { ...made, service, slices, nodes, statusAddresses };
        const memo = remember(memos.get(key), input, settings);
        next.set(key, memo);
        if (memo.claim !== undefined) claims.set(memo.claim.id, memo.claim);
      }
      memos = next;
      return { claims, pools: sets.pools };
    },
  };
}

function remember(
  before: Memo | undefined,
  input: TranslateInput,
  settings: TranslateSettings,
): Memo {
  if (before !== undefined && sameInput(before.input, input)) return before;
  const claim = translateService(input, settings);
  const isSame =
    before?.claim !== undefined && claim !== undefined && claimsEqual(before.claim, claim);
  return { input, claim: isSame ? before.claim : claim };
}

/** By identity of the parsed objects, which are made anew only when their text changed. */
function sameInput(a: TranslateInput, b: TranslateInput): boolean {
  return (
    a.service === b.service &&
    a.origin === b.origin &&
    a.uid === b.uid &&
    sameItems(a.slices, b.slices) &&
    sameItems(a.nodes, b.nodes)
  );
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => item === b[index]));
}

interface Sets {
  readonly services: readonly Extract<SourceObject, { kind: "Service" }>[];
  /** By `namespace/name` of the Service that they name. */
  readonly slices: ReadonlyMap<string, readonly SliceObject[]>;
  readonly nodes: readonly NodeObject[];
  readonly pools: ReadonlyMap<PoolName, AddressPool>;
}

function sortOut(objects: Iterable<SourceObject>): Sets {
  const services: Extract<SourceObject, { kind: "Service" }>[] = [];
  const slices = new Map<string, SliceObject[]>();
  const nodes: NodeObject[] = [];
  const pools = new Map<PoolName, AddressPool>();
  for (const object of objects) {
    if (object.kind === "Service") services.push(object);
    else if (object.kind === "Node") nodes.push(object.value);
    else if (object.kind === "AddressPool") pools.set(object.value.name, object.value);
    else {
      const service = object.value.metadata.labels?.[SERVICE_NAME_LABEL];
      if (service === undefined) continue;
      const key = `${object.identity.namespace}/${service}`;
      const list = slices.get(key);
      if (list === undefined) slices.set(key, [object.value]);
      else list.push(object.value);
    }
  }
  return { services, slices, nodes, pools };
}

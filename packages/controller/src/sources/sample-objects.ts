// Objects for tests: a Service that is served, with one slice and two members, changed by each test
// in what it is about. Given partial objects as a manifest has them; parses them as a source does.

import assert from "node:assert/strict";

import type { Claim } from "@fairlead/model";

import type { NodeObject } from "./node-object.ts";
import { type SourceObject, readObjects } from "./objects.ts";
import type { SliceObject } from "./slice-object.ts";
import { type TranslateSettings, translateService } from "./translate-service.ts";

/** A part of a manifest. */
export type Fields = Readonly<Record<string, unknown>>;

/** Settings of an install outside of a cluster. */
export const SAMPLE_SETTINGS: TranslateSettings = {
  defaultClass: true,
  classes: ["fairlead.io/agents"],
  members: "endpoints",
  nodeSelector: {},
  ownFieldManager: "fairlead",
  isShared: false,
};

/** A Service `default/web` with port 80 named http. */
export function sampleService(spec: Fields = {}, metadata: Fields = {}): Fields {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", ...metadata },
    spec: {
      type: "LoadBalancer",
      ports: [{ name: "http", port: 80, targetPort: 8080 }],
      ...spec,
    },
  };
}

/** A slice of `default/web` with two ready endpoints on port 8080 named http. */
export function sampleSlice(fields: Fields = {}, name = "web-1"): Fields {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    ports: [{ name: "http", protocol: "TCP", port: 8080 }],
    endpoints: [{ addresses: ["10.0.0.1"] }, { addresses: ["10.0.0.2"] }],
    ...fields,
  };
}

/** A ready Node with these addresses, by type. */
export function sampleNode(name: string, addresses: Fields, metadata: Fields = {}): Fields {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, ...metadata },
    status: {
      addresses: Object.entries(addresses).map(([type, address]) => ({ type, address })),
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
}

/** Parses manifests that must all be good. */
export function parseSamples(manifests: readonly Fields[]): readonly SourceObject[] {
  return manifests.flatMap((manifest) => {
    const { objects, bad } = readObjects(manifest, "web.yaml");
    assert.deepEqual(bad, []);
    return objects;
  });
}

/** The claim that the first manifest, a Service, makes with the others. */
export function sampleClaim(
  manifests: readonly Fields[],
  settings: Partial<TranslateSettings> = {},
): Claim | undefined {
  const objects = parseSamples(manifests);
  const service = objects.find((object) => object.kind === "Service");
  assert(service !== undefined);
  const slices = objects.flatMap((object): readonly SliceObject[] =>
    object.kind === "EndpointSlice" ? [object.value] : [],
  );
  const nodes = objects.flatMap((object): readonly NodeObject[] =>
    object.kind === "Node" ? [object.value] : [],
  );
  const { identity, uid, origin, createdAtMs } = service;
  const input = { identity, uid, origin, createdAtMs, service: service.value, slices, nodes };
  return translateService(input, { ...SAMPLE_SETTINGS, ...settings });
}

/** As `sampleClaim`, for a Service that must be ours. */
export function oursOf(
  manifests: readonly Fields[],
  settings: Partial<TranslateSettings> = {},
): Claim {
  const claim = sampleClaim(manifests, settings);
  assert(claim !== undefined);
  return claim;
}

/** Refusals and remarks of a claim as `reason: detail` lines. */
export function saidOf(claim: Claim): {
  readonly refusals: readonly string[];
  readonly remarks: readonly string[];
} {
  const lines = (list: Claim["remarks"]): readonly string[] =>
    list.map(({ reason, detail }) => `${reason}: ${detail}`);
  return { refusals: lines(claim.refusals), remarks: lines(claim.remarks) };
}

/** Members of the first listener as `address:port`, draining ones marked. */
export function membersOf(claim: Claim): readonly string[] {
  return (claim.listeners[0]?.members ?? []).map(
    ({ address, port, state }) => `${address}:${port}${state === "draining" ? " draining" : ""}`,
  );
}

/** A row of a table of members: a Service, what else there is, and who is a member by it. */
export interface MemberCase {
  readonly name: string;
  readonly spec?: Fields;
  readonly metadata?: Fields;
  readonly others: readonly Fields[];
  readonly settings?: Partial<TranslateSettings>;
  readonly want: readonly string[];
  readonly remarks?: readonly string[];
}

/** An endpoint of a slice, ready unless its conditions say otherwise. */
export function sampleEndpoint(address: string, conditions: Fields = {}): Fields {
  return { addresses: [address], conditions };
}

/** A pod that ends and still answers. */
export const ENDING: Fields = { serving: true, terminating: true };

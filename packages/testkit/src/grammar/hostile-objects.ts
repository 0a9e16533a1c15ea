// Objects of a cluster with hostile text in one place each, as JSON documents: every place that a
// user writes and we read. Arbitraries for fast-check; the rest of each object is good.

import fc from "fast-check";
import { present } from "@fairlead/model";
import { hostile } from "./hostile-text.ts";

/** A document of a folder of manifests, as a value of JSON. */
export type HostileObject = Readonly<Record<string, unknown>>;

/** A place in an object by its keys, and what would be right there. */
type Place = readonly [path: readonly (string | number)[], good: string];

/** Annotations of ours and of others; each is also a place for a hostile key. */
const WISHES = [
  ["fairlead.io/addresses", "192.0.2.110"],
  ["fairlead.io/address-pool", "lan"],
  ["fairlead.io/sharing-key", "key"],
  ["fairlead.io/source-ranges", "10.0.0.0/8"],
  ["fairlead.io/balance", "least-conn"],
  ["fairlead.io/health-check-path", "/healthz"],
  ["fairlead.io/proxy-protocol", "v1"],
  ["fairlead.io/max-connections", "100"],
  ["fairlead.io/connect-timeout", "5s"],
  ["fairlead.io/drain-timeout", "10s"],
  ["fairlead.io/hostname", "web.example.com"],
  ["fairlead.io/tls-secret", "web-tls"],
  ["metallb.io/loadBalancerIPs", "192.0.2.111"],
  ["kube-vip.io/loadbalancerIPs", "192.0.2.112"],
] as const;

const SERVICE_PLACES: readonly Place[] = [
  [["metadata", "name"], "web"],
  [["metadata", "namespace"], "default"],
  [["metadata", "uid"], "11111111-1111-4111-8111-111111111111"],
  [["metadata", "labels", "app"], "web"],
  [["spec", "loadBalancerIP"], "192.0.2.120"],
  [["spec", "loadBalancerClass"], "fairlead.io/agents"],
  [["spec", "loadBalancerSourceRanges", 0], "10.0.0.0/8"],
  [["spec", "externalIPs", 0], "192.0.2.130"],
  [["spec", "ipFamilies", 0], "IPv4"],
  [["spec", "ipFamilyPolicy"], "SingleStack"],
  [["spec", "sessionAffinity"], "ClientIP"],
  [["spec", "externalTrafficPolicy"], "Cluster"],
  [["spec", "ports", 0, "name"], "p80"],
  [["spec", "ports", 0, "protocol"], "TCP"],
  [["spec", "ports", 0, "targetPort"], "p80"],
  [["spec", "ports", 0, "appProtocol"], "http"],
  [["status", "loadBalancer", "ingress", 0, "ip"], "192.0.2.140"],
  ...WISHES.map(([key, good]): Place => [["metadata", "annotations", key], good]),
];
const SLICE_PLACES: readonly Place[] = [
  [["metadata", "name"], "web-1"],
  [["metadata", "labels", "kubernetes.io/service-name"], "web"],
  [["addressType"], "IPv4"],
  [["ports", 0, "name"], "p80"],
  [["ports", 0, "protocol"], "TCP"],
  [["endpoints", 0, "addresses", 0], "10.0.0.1"],
  [["endpoints", 0, "nodeName"], "node-1"],
  [["endpoints", 0, "zone"], "a"],
];
const POOL_PLACES: readonly Place[] = [
  [["metadata", "name"], "more"],
  [["spec", "addresses", 0], "192.0.2.200-192.0.2.210"],
  [["spec", "mode"], "vrrp"],
];

const service = (name: string): HostileObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: {
    type: "LoadBalancer",
    ports: [{ name: "p80", protocol: "TCP", port: 80, targetPort: 8080 }],
  },
});
const slice = (name: string): HostileObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [{ name: "p80", protocol: "TCP", port: 8080 }],
  endpoints: [{ addresses: ["10.0.0.1"] }],
});
const pool = (name: string): HostileObject => ({
  apiVersion: "fairlead.io/v1alpha1",
  kind: "AddressPool",
  metadata: { name },
  spec: { addresses: ["192.0.2.200-192.0.2.210"] },
});

/** One object of any kind with hostile text in one place, or as the key of an annotation. */
export const hostileObject: fc.Arbitrary<HostileObject> = fc.oneof(
  { weight: 4, arbitrary: forged(service, SERVICE_PLACES) },
  { weight: 2, arbitrary: forged(slice, SLICE_PLACES) },
  { weight: 1, arbitrary: forged(pool, POOL_PLACES) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(named(), hostile("fairlead.io/balance"))
      .map(([name, key]) => put(service(name), ["metadata", "annotations", key], "random")),
  },
);

/** Every place, with how its object is made. */
const PLACES = [
  ...SERVICE_PLACES.map((place) => [service, place] as const),
  ...SLICE_PLACES.map((place) => [slice, place] as const),
  ...POOL_PLACES.map((place) => [pool, place] as const),
];

/**
 * An object for each of these texts, which stands amid what would be right in one place of it.
 * @param turn shifts which text has which place.
 */
export function objectsWith(texts: readonly string[], turn: number): readonly HostileObject[] {
  return texts.map((text, index) => {
    const found = PLACES[(index + turn) % PLACES.length];
    const [make, [path, good]] = present(found, "one of the places");
    return put(make(`bad-${index}`), path, `${good.slice(0, 1)}${text}${good.slice(1)}`);
  });
}

function named(): fc.Arbitrary<string> {
  return fc.stringMatching(/^[a-z]{6}$/);
}

function forged(
  make: (name: string) => HostileObject,
  places: readonly Place[],
): fc.Arbitrary<HostileObject> {
  return fc
    .tuple(named(), fc.constantFrom(...places))
    .chain(([name, [path, good]]) => hostile(good).map((text) => put(make(name), path, text)));
}

/** The same object with a value at a place; what is missing on the way is made. */
function put(object: unknown, path: readonly (string | number)[], value: string): HostileObject {
  const [key, ...rest] = path;
  const known = typeof object === "object" && object !== null ? Object.entries(object) : [];
  const below = known.find(([name]) => name === String(key))?.[1] as unknown;
  const next: unknown = rest.length === 0 ? value : put(below, rest, value);
  const entries = [...known.filter(([name]) => name !== String(key)), [String(key), next]] as const;
  const made = Object.fromEntries(entries as readonly (readonly [string, unknown])[]);
  return (typeof key === "number" ? Object.values(made) : made) as HostileObject;
}

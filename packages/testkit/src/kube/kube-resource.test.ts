// Paths of objects and lists on an API server.

import assert from "node:assert/strict";
import { test } from "node:test";

import { creationPath, kubePath, type KubeTarget } from "./kube-resource.ts";

const DISCOVERY = "discovery.k8s.io/v1";
const cases: readonly (readonly [string, KubeTarget, string])[] = [
  [
    "a Service",
    { apiVersion: "v1", kind: "Service", name: "a" },
    "/api/v1/namespaces/default/services/a",
  ],
  ["all Services", { apiVersion: "v1", kind: "Service" }, "/api/v1/services"],
  [
    "Services of a namespace",
    { apiVersion: "v1", kind: "Service", namespace: "shop" },
    "/api/v1/namespaces/shop/services",
  ],
  [
    "a status",
    { apiVersion: "v1", kind: "Service", namespace: "shop", name: "a", subresource: "status" },
    "/api/v1/namespaces/shop/services/a/status",
  ],
  ["a node", { apiVersion: "v1", kind: "Node", name: "a" }, "/api/v1/nodes/a"],
  ["slices", { apiVersion: DISCOVERY, kind: "EndpointSlice" }, `/apis/${DISCOVERY}/endpointslices`],
  ["Endpoints", { apiVersion: "v1", kind: "Endpoints" }, "/api/v1/endpoints"],
  [
    "network policies",
    { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
    "/apis/networking.k8s.io/v1/networkpolicies",
  ],
  [
    "Ingresses",
    { apiVersion: "networking.k8s.io/v1", kind: "Ingress" },
    "/apis/networking.k8s.io/v1/ingresses",
  ],
  ["an odd name", { apiVersion: "v1", kind: "Node", name: "a/b?c" }, "/api/v1/nodes/a%2Fb%3Fc"],
];
for (const [name, target, path] of cases) {
  test(`kube path: ${name}`, () => assert.equal(kubePath(target), path));
}

test("kube path: objects are posted to their namespace, or to none", () => {
  const web = { apiVersion: "v1", kind: "Service", metadata: { name: "web" } };
  assert.equal(creationPath(web), "/api/v1/namespaces/default/services");
  const shop = { ...web, metadata: { name: "web", namespace: "shop" } };
  assert.equal(creationPath(shop), "/api/v1/namespaces/shop/services");
  const node = { apiVersion: "v1", kind: "Node", metadata: { name: "a" } };
  assert.equal(creationPath(node), "/api/v1/nodes");
});

// What is read of a document: the kinds we use, Lists unwrapped, and each bad object by itself.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Fields, sampleService, sampleSlice } from "./sample-objects.ts";
import { identityTitle, readObjects } from "./objects.ts";

const pool = (spec: Fields, name = "lan"): Fields => ({
  apiVersion: "fairlead.io/v1alpha1",
  kind: "AddressPool",
  metadata: { name },
  spec: { addresses: ["192.0.2.10-192.0.2.20"], ...spec },
});

/** As it stands in a list of its kind. */
function untyped(object: Fields): Fields {
  const { apiVersion: _, kind: __, ...rest } = object;
  return rest;
}

function listOf(items: readonly Fields[]): Fields {
  return { apiVersion: "v1", kind: "List", items };
}

interface ObjectCase {
  readonly name: string;
  readonly value: unknown;
  readonly objects?: readonly string[];
  readonly bad?: readonly string[];
}

const cases: readonly ObjectCase[] = [
  { name: "an empty document holds nothing", value: null },
  { name: "kinds of others are passed over", value: { apiVersion: "apps/v1", kind: "Deployment" } },
  {
    name: "a Service",
    value: sampleService(),
    objects: ["Service default/web"],
  },
  {
    name: "a List, and a ServiceList in it",
    value: {
      apiVersion: "v1",
      kind: "List",
      items: [
        { apiVersion: "v1", kind: "ServiceList", items: [sampleService()] },
        { apiVersion: "v1", kind: "Node", metadata: { name: "n1" } },
        null,
      ],
    },
    objects: ["Service default/web", "Node n1"],
  },
  {
    name: "items of typed lists, as an API server writes them: the list says what they are",
    value: listOf([
      { apiVersion: "v1", kind: "ServiceList", items: [untyped(sampleService())] },
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSliceList",
        items: [untyped(sampleSlice())],
      },
      { apiVersion: "fairlead.io/v1alpha1", kind: "AddressPoolList", items: [untyped(pool({}))] },
    ]),
    objects: ["Service default/web", "EndpointSlice default/web-1", "AddressPool lan"],
  },
  {
    name: "items of a List without a kind of their own are errors",
    value: listOf([untyped(sampleService())]),
    bad: ["an object: BadField: apiVersion and kind must be text"],
  },
  {
    name: "Lists in Lists have an end",
    value: [1, 2, 3, 4, 5].reduce<Fields>(
      (inner) => ({ apiVersion: "v1", kind: "List", items: [inner] }),
      sampleService(),
    ),
    bad: ["a List: ManifestTooComplex: lists in lists"],
  },
  { name: "text is no object", value: "x", bad: ["a document: BadField: it is not a mapping"] },
  {
    name: "an object without kind",
    value: { metadata: { name: "x" } },
    bad: ["an object: BadField: apiVersion and kind must be text"],
  },
  {
    name: "a kind that is nearly one of ours is a typing error",
    value: {
      kind: "List",
      items: [
        { apiVersion: "v1", kind: "Servce" },
        { apiVersion: "fairlead.io/v1alpha1", kind: "AddresPool" },
      ],
    },
    bad: [
      'an object: BadField: apiVersion "v1" of kind "Servce" is not known; did you mean Service?',
      'an object: BadField: apiVersion "fairlead.io/v1alpha1" of kind "AddresPool" is not known; ' +
        "did you mean AddressPool?",
    ],
  },
  {
    name: "kinds of Kubernetes' core that are not used are no typing errors",
    value: {
      kind: "List",
      items: [
        "Pod",
        "Secret",
        "Event",
        "Binding",
        "ServiceAccount",
        "Namespace",
        "Endpoints",
        "ConfigMap",
      ].map((kind) => ({ apiVersion: "v1", kind })),
    },
  },
  {
    name: "a version of our own kind that is not known",
    value: { apiVersion: "fairlead.io/v9", kind: "AddressPool" },
    bad: ['an object: BadField: apiVersion "fairlead.io/v9" of kind "AddressPool" is not known'],
  },
  {
    name: "a Service without a name",
    value: { apiVersion: "v1", kind: "Service", metadata: {} },
    bad: ["a Service: BadField: metadata.name must be text"],
  },
  ...["we\nb", 'we"b', "web;", "web{", "web\u0000", "Web", "", "x".repeat(254)].map((name) => ({
    name: `the name ${JSON.stringify(name.slice(0, 10))} is refused`,
    value: sampleService({}, { name }),
    bad: [`Service ${title(`default/${name}`)}: BadName: metadata.name ${title(name)} is no name`],
  })),
  {
    name: "a namespace is checked too",
    value: sampleService({}, { namespace: "a.b" }),
    bad: ['Service "a.b/web": BadName: metadata.namespace "a.b" is no namespace'],
  },
  {
    name: "a uid is checked too",
    value: sampleService({}, { uid: "a b" }),
    bad: ['Service default/web: BadField: metadata.uid "a b" is no uid'],
  },
  {
    name: "wrong types are named by their field",
    value: sampleService({ ports: [{ port: "80" }, { port: 70_000 }] }, { labels: { "a\nb": 1 } }),
    bad: [
      String.raw`Service default/web: BadField: metadata.labels["a\nb"]: 1: expected string, received number; spec.ports[0].port: "80": expected number, received string; spec.ports[1].port: 70000: expected number to be <=65535`,
    ],
  },
  {
    name: "a target port is a number or a name",
    value: sampleService({ ports: [{ port: 80, targetPort: [] }] }),
    bad: [
      "Service default/web: BadField: spec.ports[0].targetPort: expected a port number or a name",
    ],
  },
  { name: "a pool", value: pool({}), objects: ["AddressPool lan"] },
  {
    name: "a field that a pool does not know must not be overlooked",
    value: pool({ namespace: ["a"] }),
    bad: ['AddressPool lan: BadField: spec: unknown field "namespace"'],
  },
  {
    name: "a pool with a reversed range",
    value: pool({ addresses: ["192.0.2.20-192.0.2.10", "x"] }),
    bad: [
      'AddressPool lan: BadPoolRange: "192.0.2.20-192.0.2.10": the first address is above the last; "x": not an address, a-b or CIDR',
    ],
  },
];

function title(text: string): string {
  const cut = JSON.stringify(text.slice(0, 100));
  return text.length > 100 ? `${cut}...` : cut;
}

for (const c of cases) {
  test(c.name, () => {
    const { objects, bad } = readObjects(c.value, "web.yaml");
    assert.deepEqual(
      objects.map(({ identity }) => identityTitle(identity)),
      c.objects ?? [],
    );
    assert.deepEqual(
      bad.map((each) => `${each.title}: ${each.reason}: ${each.detail}`),
      c.bad ?? [],
    );
  });
}

test("a bad object takes nothing from its neighbours", () => {
  const items = [sampleService({ ports: 5 }), sampleService({}, { name: "good" })];
  const { objects, bad } = readObjects({ apiVersion: "v1", kind: "List", items }, "web.yaml");
  assert.deepEqual(
    objects.map(({ identity }) => identity.name),
    ["good"],
  );
  assert.deepEqual(bad[0]?.identity, { kind: "Service", namespace: "default", name: "web" });
});

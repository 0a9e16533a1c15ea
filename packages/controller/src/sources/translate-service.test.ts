// What a Service says becomes a claim: class, ports, families, identity. Wishes, policy and members
// have tables of their own beside this one.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Claim } from "@fairlead/model";

import {
  ENDING,
  type Fields,
  oursOf,
  saidOf,
  sampleClaim,
  sampleEndpoint,
  sampleService,
  sampleSlice,
} from "./sample-objects.ts";
import { type TranslateSettings, claimsEqual } from "./translate-service.ts";

test("a plain Service becomes a claim with its members", () => {
  const metadata = {
    uid: "5a1c1f04-8c1e-4d5e-9d32-0a7d3f1f0a01",
    generation: 7,
    creationTimestamp: "2026-01-02T03:04:05Z",
    labels: { tier: "front", app: "web" },
  };
  assert.deepEqual(sampleClaim([sampleService({}, metadata), sampleSlice()]), {
    id: "service/default/web",
    kind: "service",
    namespace: "default",
    name: "web",
    uid: "5a1c1f04-8c1e-4d5e-9d32-0a7d3f1f0a01",
    generation: 7,
    createdAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    origin: "web.yaml",
    labels: { app: "web", tier: "front" },
    listeners: [
      {
        name: "http",
        protocol: "tcp",
        port: 80,
        members: [
          { address: "10.0.0.1", port: 8080, weight: 1, state: "active" },
          { address: "10.0.0.2", port: 8080, weight: 1, state: "active" },
        ],
      },
    ],
    wishedAddresses: [],
    families: { policy: "SingleStack", families: [] },
    policy: {
      balance: "round-robin",
      affinity: { kind: "none" },
      externalTraffic: "cluster",
      proxyProtocol: "none",
      acceptProxyProtocol: false,
      sourceRanges: [],
    },
    refusals: [],
    remarks: [],
  });
});

test("a Service without uid and namespace gets both, the same every time", () => {
  const first = oursOf([sampleService()]);
  assert.equal(first.namespace, "default");
  assert.match(first.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u);
  assert.equal(oursOf([sampleService({ type: "LoadBalancer" })]).uid, first.uid);
  assert.notEqual(oursOf([sampleService({}, { namespace: "other" })]).uid, first.uid);
});

interface ClassCase {
  readonly name: string;
  readonly spec: Fields;
  readonly metadata?: Fields;
  readonly settings?: Partial<TranslateSettings>;
  /** Absent: not ours. */
  readonly refusals?: readonly string[];
}

const managed = (manager: string): Fields => ({
  managedFields: [
    { manager, subresource: "status", fieldsV1: { "f:status": { "f:loadBalancer": {} } } },
  ],
});

const classCases: readonly ClassCase[] = [
  { name: "no class is ours while we are the default", spec: {}, refusals: [] },
  { name: "no class is not ours when we are not", spec: {}, settings: { defaultClass: false } },
  {
    name: "our class is ours, default or not",
    spec: { loadBalancerClass: "fairlead.io/agents" },
    settings: { defaultClass: false },
    refusals: [],
  },
  {
    name: "another class is refused by name",
    spec: { loadBalancerClass: 'bad"\nclass' },
    refusals: [String.raw`UnknownClass: spec.loadBalancerClass is "bad\"\nclass"`],
  },
  {
    name: "a Service of ours that was given another class asks for nothing any more",
    spec: { loadBalancerClass: "example.com/other" },
    metadata: { finalizers: ["fairlead.io/release"] },
  },
  {
    name: "in a cluster a class of others is none of our business",
    spec: { loadBalancerClass: "example.com/other" },
    settings: { isShared: true },
  },
  {
    name: "in a cluster a class that only looks like ours is refused by name",
    spec: { loadBalancerClass: "fairlead.io/agent" },
    settings: { isShared: true },
    refusals: ['UnknownClass: spec.loadBalancerClass is "fairlead.io/agent"'],
  },
  { name: "a ClusterIP Service is not ours", spec: { type: "ClusterIP" } },
  {
    name: "a ClusterIP Service with the label is ours",
    spec: { type: "ClusterIP" },
    metadata: { labels: { "fairlead.io/expose": "true" } },
    refusals: [],
  },
  {
    name: "a NodePort Service with the annotation is ours",
    spec: { type: "NodePort" },
    metadata: { annotations: { "fairlead.io/expose": "true" } },
    refusals: [],
  },
  {
    name: "expose: false exposes nothing",
    spec: { type: "NodePort" },
    metadata: { annotations: { "fairlead.io/expose": "false" } },
  },
  {
    name: "expose that says true here and false there is refused",
    spec: { type: "ClusterIP" },
    metadata: {
      annotations: { "fairlead.io/expose": "true" },
      labels: { "fairlead.io/expose": "false" },
    },
    refusals: [
      'ConflictingWishes: annotation fairlead.io/expose says "true" and label fairlead.io/expose says "false"',
    ],
  },
  {
    name: "expose that is neither true nor false is refused, not passed over",
    spec: { type: "NodePort" },
    metadata: { annotations: { "fairlead.io/expose": "yes" } },
    refusals: ['BadField: annotation fairlead.io/expose is "yes"; expected true or false'],
  },
  {
    name: "so it is on a load balancer that nothing else makes ours",
    spec: {},
    metadata: { annotations: { "fairlead.io/expose": "True" } },
    settings: { defaultClass: false },
    refusals: ['BadField: annotation fairlead.io/expose is "True"; expected true or false'],
  },
  {
    name: "expose on a Service of another's class in a cluster is none of our business",
    spec: { loadBalancerClass: "example.com/other" },
    metadata: { annotations: { "fairlead.io/expose": "yes" } },
    settings: { isShared: true },
  },
  {
    name: "a status written by somebody else is left to him",
    spec: {},
    metadata: managed("metallb-controller"),
    refusals: ['OtherControllerActive: "metallb-controller" writes status.loadBalancer'],
  },
  { name: "a status written by us is ours", spec: {}, metadata: managed("fairlead"), refusals: [] },
  {
    name: "our class is ours whoever wrote the status",
    spec: { loadBalancerClass: "fairlead.io/agents" },
    metadata: managed("metallb-controller"),
    refusals: [],
  },
];

for (const c of classCases) {
  test(`class: ${c.name}`, () => {
    const claim = sampleClaim([sampleService(c.spec, c.metadata)], c.settings);
    assert.deepEqual(claim === undefined ? undefined : saidOf(claim).refusals, c.refusals);
  });
}

interface PortCase {
  readonly name: string;
  readonly ports: readonly Fields[];
  readonly refusals: readonly string[];
  readonly listeners: readonly string[];
}

const portCases: readonly PortCase[] = [
  { name: "none is refused", ports: [], refusals: ["NoPorts: spec.ports is empty"], listeners: [] },
  {
    name: "TCP and UDP on one number are two listeners, sorted",
    ports: [
      { name: "b", port: 53, protocol: "UDP" },
      { name: "a", port: 53 },
      { name: "c", port: 8 },
    ],
    refusals: [],
    listeners: ["tcp/8 c", "tcp/53 a", "udp/53 b"],
  },
  {
    name: "SCTP is refused",
    ports: [{ name: "sig", port: 36412, protocol: "SCTP" }],
    refusals: ['UnsupportedProtocol: port "sig" is "SCTP"'],
    listeners: [],
  },
  {
    name: "a number that stands twice is refused",
    ports: [
      { name: "a", port: 80 },
      { name: "b", port: 80 },
    ],
    refusals: ["DuplicatePort: 80/TCP stands there twice"],
    listeners: ["tcp/80 a"],
  },
  {
    name: "a name with a newline is refused and not kept",
    ports: [{ name: "a;\n{", port: 80 }],
    refusals: [String.raw`BadName: spec.ports: "a;\n{" is no port name`],
    listeners: ["tcp/80 "],
  },
  {
    name: "more than a hundred are refused",
    ports: Array.from({ length: 101 }, (_, index) => ({ name: `p${index}`, port: index + 1 })),
    refusals: ["TooManyPorts: 101 ports; a claim has at most 100"],
    listeners: [],
  },
];

for (const c of portCases) {
  test(`ports: ${c.name}`, () => {
    const claim = oursOf([sampleService({ ports: c.ports })]);
    assert.deepEqual(saidOf(claim).refusals, c.refusals);
    assert.deepEqual(
      claim.listeners.map(({ protocol, port, name }) => `${protocol}/${port} ${name}`),
      c.listeners,
    );
  });
}

const familyCases: readonly {
  readonly name: string;
  readonly spec: Fields;
  readonly want: Claim["families"];
  readonly refusals?: readonly string[];
}[] = [
  { name: "the pool decides by default", spec: {}, want: { policy: "SingleStack", families: [] } },
  {
    name: "order is kept",
    spec: { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6", "IPv4"] },
    want: { policy: "RequireDualStack", families: ["ipv6", "ipv4"] },
  },
  {
    name: "one that stands twice is refused",
    spec: { ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv4", "IPv4"] },
    want: { policy: "PreferDualStack", families: ["ipv4"] },
    refusals: ["BadField: spec.ipFamilies names a family twice"],
  },
];

for (const c of familyCases) {
  test(`families: ${c.name}`, () => {
    const claim = oursOf([sampleService(c.spec)]);
    assert.deepEqual(claim.families, c.want);
    assert.deepEqual(saidOf(claim).refusals, c.refusals ?? []);
  });
}

test("claims are equal when they say the same, whatever object they are", () => {
  const make = (): Claim => oursOf([sampleService(), sampleSlice()]);
  assert(claimsEqual(make(), make()));
  assert(!claimsEqual(make(), oursOf([sampleService()])));
  const others: readonly Fields[] = [
    { endpoints: [{ addresses: ["10.0.0.1"] }, { addresses: ["10.0.0.9"] }] },
    { ports: [{ name: "http", port: 9090 }] },
    {
      endpoints: [
        sampleEndpoint("10.0.0.1"),
        sampleEndpoint("10.0.0.2", { ready: false, ...ENDING }),
      ],
    },
  ];
  for (const other of others) {
    assert(!claimsEqual(make(), oursOf([sampleService(), sampleSlice(other)])));
  }
});

for (const { annotation, setting, isShared, wanted } of [
  { annotation: "true", setting: false, isShared: true, wanted: true },
  { annotation: "false", setting: true, isShared: true, wanted: undefined },
  { annotation: undefined, setting: true, isShared: true, wanted: true },
  { annotation: undefined, setting: false, isShared: true, wanted: undefined },
  { annotation: "true", setting: true, isShared: false, wanted: undefined },
] as const) {
  const said = annotation ?? "nothing";
  test(`external IPs: ${said} said, setting ${setting}, in a cluster ${isShared}`, () => {
    const annotations = annotation === undefined ? {} : { "fairlead.io/external-ips": annotation };
    const service = sampleService({}, { annotations });
    const claim = sampleClaim([service], { writesExternalIPs: setting, isShared });
    assert.equal(claim?.writesExternalIPs, wanted);
    const isTold = claim?.remarks.some(({ reason }) => reason === "PolicyNotServed") === true;
    assert.equal(isTold, annotation !== undefined && !isShared);
  });
}

for (const loadBalancerClass of [undefined, "fairlead.io/agents"]) {
  test(`expose of another word on a load balancer of class ${loadBalancerClass} is said`, () => {
    const service = sampleService(
      { loadBalancerClass },
      { annotations: { "fairlead.io/expose": "yes" } },
    );
    assert.deepEqual(saidOf(oursOf([service])), {
      refusals: [],
      remarks: [
        'BadField: annotation fairlead.io/expose is "yes"; expected true or false; it is left out',
      ],
    });
  });
}

test("external IPs that an annotation wants and a label does not are refused", () => {
  const metadata = {
    annotations: { "fairlead.io/external-ips": "true" },
    labels: { "fairlead.io/external-ips": "false" },
  };
  const claim = oursOf([sampleService({}, metadata)], { isShared: true });
  assert.deepEqual(saidOf(claim).refusals, [
    'ConflictingWishes: annotation fairlead.io/external-ips says "true" and label fairlead.io/external-ips says "false"',
  ]);
  assert.equal(claim.writesExternalIPs, undefined);
});

// How traffic is to be treated: every annotation and field, its bounds, and what is said of those
// that nothing serves yet.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Fields, oursOf, saidOf, sampleService } from "./sample-objects.ts";

interface PolicyCase {
  readonly name: string;
  readonly spec?: Fields;
  readonly annotations?: Fields;
  readonly labels?: Fields;
  /** What differs from the default policy. */
  readonly want?: Fields;
  readonly refusals?: readonly string[];
  readonly remarks?: readonly string[];
}

const DEFAULTS: Fields = {
  balance: "round-robin",
  affinity: { kind: "none" },
  externalTraffic: "cluster",
  proxyProtocol: "none",
  acceptProxyProtocol: false,
  sourceRanges: [],
};

const notServed = (key: string): string =>
  `PolicyNotServed: annotation fairlead.io/${key} is not served yet`;

const cases: readonly PolicyCase[] = [
  { name: "defaults" },
  {
    name: "client affinity with Kubernetes' own time-out",
    spec: { sessionAffinity: "ClientIP" },
    want: { affinity: { kind: "client-ip", timeoutSeconds: 10_800 } },
  },
  {
    name: "client affinity with a time-out",
    spec: {
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
    },
    want: { affinity: { kind: "client-ip", timeoutSeconds: 60 } },
  },
  {
    name: "externalTrafficPolicy Local flows, and is said not to be served",
    spec: { externalTrafficPolicy: "Local" },
    want: { externalTraffic: "local" },
    remarks: [
      "PolicyNotServed: externalTrafficPolicy Local is not served: members see the load balancer",
    ],
  },
  {
    name: "all that tunes",
    annotations: {
      "fairlead.io/datapath": "nginx",
      "fairlead.io/balance": "least-conn",
      "fairlead.io/proxy-protocol": "v2",
      "fairlead.io/accept-proxy-protocol": "true",
      "fairlead.io/max-connections": "500",
      "fairlead.io/connect-timeout": "500ms",
      "fairlead.io/idle-timeout": "1m30s",
      "fairlead.io/drain-timeout": "0",
    },
    want: {
      datapath: "nginx",
      balance: "least-conn",
      proxyProtocol: "v2",
      acceptProxyProtocol: true,
      connectionsMax: 500,
      connectTimeoutMs: 500,
      idleTimeoutMs: 90_000,
      drainTimeoutMs: 0,
    },
  },
  {
    name: "what changes the bytes is refused when it is wrong",
    annotations: {
      "fairlead.io/datapath": "ipvs",
      "fairlead.io/proxy-protocol": "v3",
      "fairlead.io/accept-proxy-protocol": "yes",
    },
    refusals: [
      'BadField: annotation fairlead.io/accept-proxy-protocol is "yes"; expected one of true, false',
      'BadField: annotation fairlead.io/datapath is "ipvs"; expected one of nginx, kernel, haproxy',
      'BadField: annotation fairlead.io/proxy-protocol is "v3"; expected one of v1, v2',
    ],
  },
  {
    name: "what only tunes is left out when it is wrong, and the Service is served",
    annotations: {
      "fairlead.io/balance": "fastest",
      "fairlead.io/max-connections": "0",
      "fairlead.io/idle-timeout": "30",
    },
    remarks: [
      'BadField: annotation fairlead.io/balance is "fastest"; expected one of round-robin, least-conn, hash, random; it is left out',
      'BadField: annotation fairlead.io/idle-timeout is "30"; expected a number with a unit, such as 500ms, 10s, 1m30s, 2h or 7d, from 1000ms to 24h; it is left out',
      'BadField: annotation fairlead.io/max-connections is "0"; expected a whole number from 1 to 1000000; it is left out',
    ],
  },
  {
    name: "a time-out without bounds is left out",
    annotations: { "fairlead.io/connect-timeout": "7d" },
    remarks: [
      'BadField: annotation fairlead.io/connect-timeout is "7d"; expected a number with a unit, such as 500ms, 10s, 1m30s, 2h or 7d, from 10ms to 1h; it is left out',
    ],
  },
  {
    name: "health checks are not served yet",
    annotations: { "fairlead.io/health-check": "http", "fairlead.io/health-check-path": "/ok" },
    remarks: [
      notServed("health-check-path"),
      "PolicyNotServed: health checks (http) are not served yet",
    ],
  },
  { name: "no health check is what happens", annotations: { "fairlead.io/health-check": "none" } },
  {
    name: "names, certificates and drivers are not served yet",
    annotations: {
      "fairlead.io/hostname": "web.example.org",
      "fairlead.io/ttl": "60",
      "fairlead.io/tls-secret": "web-tls",
      "fairlead.io/driver": "octavia",
    },
    remarks: ["driver", "hostname", "tls-secret", "ttl"].map(notServed),
  },
  {
    name: "a typing error in a key is named, with what was meant",
    annotations: { "fairlead.io/balence": "hash" },
    remarks: [
      'BadField: annotation "fairlead.io/balence" is not known; perhaps fairlead.io/balance',
    ],
  },
  {
    name: "a typing error in a label is named as well, as wishes may be labels",
    labels: { "fairlead.io/balence": "hash", "fairlead.io/balance": "hash" },
    want: { balance: "hash" },
    remarks: ['BadField: label "fairlead.io/balence" is not known; perhaps fairlead.io/balance'],
  },
  {
    name: "annotations and labels of others are none of our business",
    annotations: { "example.org/balance": "\u0000" },
    labels: { "example.org/balence": "x" },
  },
];

for (const c of cases) {
  test(`policy: ${c.name}`, () => {
    const { annotations = {}, labels = {} } = c;
    const claim = oursOf([sampleService(c.spec, { annotations, labels })]);
    assert.deepEqual({ ...claim.policy }, { ...DEFAULTS, ...c.want });
    assert.deepEqual(saidOf(claim).refusals, c.refusals ?? []);
    assert.deepEqual(saidOf(claim).remarks, c.remarks ?? []);
  });
}

// Who the members of a Service are by the endpoints of its slices: which addresses, which port, and
// which of them drain.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  ENDING,
  type MemberCase,
  membersOf,
  oursOf,
  saidOf,
  sampleEndpoint,
  sampleService,
  sampleSlice,
} from "./sample-objects.ts";

const BAD_MEMBERS = ["127.0.0.1", "169.254.0.9", "0.0.0.0", "224.0.0.1", "255.255.255.255", "web"];

const endpointCases: readonly MemberCase[] = [
  { name: "no slice, no member, and nothing to say", others: [], want: [] },
  {
    name: "several slices are merged, sorted, none twice",
    others: [
      sampleSlice({ endpoints: [sampleEndpoint("10.0.0.9"), sampleEndpoint("10.0.0.2")] }),
      sampleSlice(
        { endpoints: [sampleEndpoint("10.0.0.10"), sampleEndpoint("10.0.0.2")] },
        "web-2",
      ),
    ],
    want: ["10.0.0.2:8080", "10.0.0.9:8080", "10.0.0.10:8080"],
  },
  {
    name: "both families are members",
    others: [
      sampleSlice({ addressType: "IPv6", endpoints: [sampleEndpoint("2001:DB8::1")] }, "web-6"),
      sampleSlice({ endpoints: [sampleEndpoint("10.0.0.1")] }),
    ],
    want: ["10.0.0.1:8080", "2001:db8::1:8080"],
  },
  {
    name: "conditions decide: not ready is out, one that ends while serving drains",
    others: [
      sampleSlice({
        endpoints: [
          sampleEndpoint("10.0.0.1", { ready: true, serving: true, terminating: false }),
          sampleEndpoint("10.0.0.2", { ready: false }),
          sampleEndpoint("10.0.0.3", { ready: false, serving: true, terminating: true }),
          sampleEndpoint("10.0.0.4", { ready: false, serving: false, terminating: true }),
        ],
      }),
    ],
    want: ["10.0.0.1:8080", "10.0.0.3:8080 draining"],
  },
  {
    name: "where all end, those that still serve get connections",
    others: [
      sampleSlice({
        endpoints: [
          sampleEndpoint("10.0.0.1", { ready: false, ...ENDING }),
          sampleEndpoint("10.0.0.2", { ready: false, serving: false, terminating: true }),
        ],
      }),
      sampleSlice(
        { endpoints: [sampleEndpoint("10.0.0.3", { ready: false, ...ENDING })] },
        "web-2",
      ),
      sampleSlice({ endpoints: [sampleEndpoint("10.0.0.4", { ready: false })] }, "web-3"),
    ],
    want: ["10.0.0.1:8080", "10.0.0.3:8080"],
  },
  {
    name: "one that is ready in another slice ends that",
    others: [
      sampleSlice({ endpoints: [sampleEndpoint("10.0.0.1", { ready: false, ...ENDING })] }),
      sampleSlice({ endpoints: [sampleEndpoint("10.0.0.2")] }, "web-2"),
    ],
    want: ["10.0.0.1:8080 draining", "10.0.0.2:8080"],
  },
  {
    name: "who is ready for another port alone ends it not",
    spec: {
      ports: [
        { name: "http", port: 80 },
        { name: "admin", port: 81 },
      ],
    },
    others: [
      sampleSlice({ endpoints: [sampleEndpoint("10.0.0.1", { ready: false, ...ENDING })] }),
      sampleSlice({ ports: [{ name: "admin", port: 9000 }] }, "web-2"),
    ],
    want: ["10.0.0.1:8080"],
  },
  {
    name: "an endpoint that is published though it ends is active, as publishNotReadyAddresses asks",
    others: [
      sampleSlice({
        endpoints: [
          sampleEndpoint("10.0.0.1", { ready: true, serving: false, terminating: true }),
          sampleEndpoint("10.0.0.2", { ready: true, serving: true, terminating: true }),
        ],
      }),
    ],
    want: ["10.0.0.1:8080", "10.0.0.2:8080"],
  },
  {
    name: "ready in one slice wins over draining in another",
    others: [
      sampleSlice({ endpoints: [sampleEndpoint("10.0.0.1", { ready: false, ...ENDING })] }),
      sampleSlice({ endpoints: [sampleEndpoint("10.0.0.1"), sampleEndpoint("10.0.0.2")] }, "web-2"),
      sampleSlice(
        { endpoints: [sampleEndpoint("10.0.0.1", { ready: false, ...ENDING })] },
        "web-3",
      ),
    ],
    want: ["10.0.0.1:8080", "10.0.0.2:8080"],
  },
  {
    name: "the slice's port of the Service port's name counts, whatever its number",
    spec: { ports: [{ name: "http", port: 80, targetPort: "web-port" }] },
    others: [
      sampleSlice({
        ports: [
          { name: "admin", port: 9000 },
          { name: "http", port: 8443 },
        ],
      }),
    ],
    want: ["10.0.0.1:8443", "10.0.0.2:8443"],
  },
  {
    name: "a slice by hand may name the target port instead",
    spec: { ports: [{ port: 80, targetPort: "web" }] },
    others: [sampleSlice({ ports: [{ name: "web", port: 8443 }] })],
    want: ["10.0.0.1:8443", "10.0.0.2:8443"],
  },
  {
    name: "or have its number alone",
    spec: { ports: [{ name: "http", port: 80, targetPort: 8080 }] },
    others: [sampleSlice({ ports: [{ port: 8080 }, { port: 9090 }] })],
    want: ["10.0.0.1:8080", "10.0.0.2:8080"],
  },
  {
    name: "ports without names are told apart by their numbers",
    spec: { ports: [{ port: 80, targetPort: 8080 }] },
    others: [sampleSlice({ ports: [{ port: 8443 }, { port: 8080 }] })],
    want: ["10.0.0.1:8080", "10.0.0.2:8080"],
  },
  {
    name: "the protocol must fit",
    others: [sampleSlice({ ports: [{ name: "http", protocol: "UDP", port: 8080 }] })],
    want: [],
    remarks: ['UnknownTargetPort: no EndpointSlice has a port for port "http"'],
  },
  {
    name: "a port that no slice has is named",
    spec: { ports: [{ name: "metrics", port: 90, targetPort: "metrics" }] },
    others: [sampleSlice()],
    want: [],
    remarks: ['UnknownTargetPort: no EndpointSlice has a port for port "metrics"'],
  },
  {
    name: "addresses that are never a member's are left out and named",
    others: [
      sampleSlice({ endpoints: [...BAD_MEMBERS, "10.0.0.1"].map((each) => sampleEndpoint(each)) }),
      sampleSlice(
        { addressType: "IPv6", endpoints: [sampleEndpoint("fe80::1"), sampleEndpoint("::1")] },
        "w6",
      ),
    ],
    want: ["10.0.0.1:8080"],
    remarks: [
      'BadMember: left out, as they are no unicast addresses: "0.0.0.0", "127.0.0.1", "169.254.0.9", "224.0.0.1", "255.255.255.255" and 3 more',
    ],
  },
  {
    name: "a slice of names has no members",
    others: [sampleSlice({ addressType: "FQDN", endpoints: [sampleEndpoint("web.example.org")] })],
    want: [],
    remarks: ["BadMember: an EndpointSlice of addressType FQDN has no member addresses"],
  },
  {
    name: "more members than a listener may have are cut",
    others: [0, 1].map((part) =>
      sampleSlice(
        {
          endpoints: Array.from({ length: 600 }, (_, index) =>
            sampleEndpoint(`10.1.${part * 4 + Math.floor(index / 200)}.${(index % 200) + 1}`),
          ),
        },
        `web-${part}`,
      ),
    ),
    want: [],
    remarks: ['BadMember: port "http": 176 members above 1024 left out'],
  },
];

for (const c of endpointCases) {
  test(`endpoints: ${c.name}`, () => {
    const claim = oursOf([sampleService(c.spec), ...c.others]);
    if (c.name.includes("are cut")) assert.equal(membersOf(claim).length, 1024);
    else assert.deepEqual(membersOf(claim), c.want);
    assert.deepEqual(saidOf(claim), { refusals: [], remarks: c.remarks ?? [] });
  });
}

const SWAPPED = [
  { name: "http", port: 80, targetPort: "tohttps" },
  { name: "https", port: 443, targetPort: "http" },
  { name: "metrics", port: 8080, targetPort: 2443 },
];

test("a slice's port of another Service port's name is never taken for its target or number", () => {
  const slice = sampleSlice({
    ports: [{ name: "http", port: 2443 }],
    endpoints: [sampleEndpoint("10.0.0.1")],
  });
  const claim = oursOf([sampleService({ ports: SWAPPED }), slice]);
  assert.deepEqual(
    claim.listeners.map(({ port, members }) => `${port} ${members.map((one) => one.port).join()}`),
    ["80 2443", "443 ", "8080 "],
  );
  assert.deepEqual(saidOf(claim).remarks, [
    'UnknownTargetPort: no EndpointSlice has a port for port "https"',
    'UnknownTargetPort: no EndpointSlice has a port for port "metrics"',
  ]);
});

// Names: what becomes one, and that nothing does which a configuration file or a shell could read.

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import {
  claimId,
  claimTitle,
  isLabel,
  isSubdomain,
  parseAgentName,
  parseClaimId,
  parseDeviceName,
  parsePoolName,
} from "./index.ts";

const subdomains: readonly (readonly [string, boolean])[] = [
  ["web", true],
  ["lb-1.example.org", true],
  ["1", true],
  ["a".repeat(63), true],
  // As a Node or an EndpointSlice may be called: Kubernetes bounds the whole name alone.
  ["a".repeat(64), true],
  [`${"a".repeat(100)}.example.org`, true],
  ["a".repeat(253), true],
  ["a".repeat(254), false],
  [`${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`, true],
  [`${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(62)}`, false],
  ["", false],
  ["Web", false],
  ["-web", false],
  ["web-", false],
  ["we..b", false],
  [".web", false],
  ["we_b", false],
  ["wéb", false],
  ["web\n", false],
  ["web;", false],
];

for (const [text, expected] of subdomains) {
  test(`${JSON.stringify(text.slice(0, 40))}, ${text.length} long: ${expected}`, () => {
    assert.equal(isSubdomain(text), expected);
    assert.equal(parseAgentName(text) !== undefined, expected);
    assert.equal(parsePoolName(text) !== undefined, expected);
  });
}

test("a namespace is a DNS label, of at most 63 characters", () => {
  assert.deepEqual(["a".repeat(63), "a".repeat(64)].map(isLabel), [true, false]);
  assert.equal(claimId("service", "a".repeat(64), "web"), undefined);
});

test("a namespace has no dots", () => {
  assert.deepEqual(["shop", "shop.eu"].map(isLabel), [true, false]);
});

const devices: readonly (readonly [string, boolean])[] = [
  ["eth0", true],
  ["enp0s31f6", true],
  ["bond0.100", true],
  ["br-lan_1", true],
  ["a".repeat(15), true],
  ["a".repeat(16), false],
  ["", false],
  ["-a", false],
  ["..", false],
  ["eth0@if3", false],
  ["eth0:1", false],
  ["eth 0", false],
  ["eth0/..", false],
  ["eth0\n", false],
];

for (const [text, expected] of devices) {
  test(`device ${JSON.stringify(text)}: ${expected}`, () => {
    assert.equal(parseDeviceName(text) !== undefined, expected);
  });
}

test("a claim's id is its kind, namespace and name", () => {
  const id = claimId("service", "default", "web");
  assert.equal(id, "service/default/web");
  assert.equal(id === undefined ? undefined : claimTitle(id), "default/web");
  assert.equal(claimId("service", "de.fault", "web"), undefined);
  assert.equal(claimId("service", "default", "we b"), undefined);
});

for (const text of ["service/default/web", "configmap/a/b.c"]) {
  test(`${text} is a claim's id`, () => assert.equal(parseClaimId(text), text));
}

for (const text of [
  "web",
  "default/web",
  "pod/default/web",
  "service/default/web/x",
  "service//web",
]) {
  test(`${text} is no claim's id`, () => assert.equal(parseClaimId(text), undefined));
}

test("no name holds a character that means something elsewhere", () => {
  const risky = /[^A-Za-z0-9._-]/;
  const texts = fc.string({ unit: fc.constantFrom(...Array.from("ab0-._;{}\n\"'$`\\/ \0")) });
  fc.assert(
    fc.property(texts, (text) => {
      for (const name of [parseAgentName(text), parsePoolName(text), parseDeviceName(text)]) {
        if (name !== undefined) assert.doesNotMatch(name, risky);
      }
    }),
    { numRuns: 2000 },
  );
});

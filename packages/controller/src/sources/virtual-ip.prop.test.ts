// Whatever somebody declares as a VIP: it is refused in words that fit on one line, or becomes a
// claim of names and addresses that are right. A failure prints the seed that repeats it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { isLabel, isSubdomain, parseAddress } from "@fairlead/model";
import { hostile } from "@fairlead/testkit";
import fc from "fast-check";

import { SAMPLE_SETTINGS } from "./sample-objects.ts";
import { translateVirtualIp } from "./translate-virtual-ip.ts";
import { readVirtualIp } from "./virtual-ip.ts";

const GOOD = {
  namespace: "shop",
  port: 443,
  protocol: "TCP",
  members: ["10.0.0.2:8443"],
  addresses: ["192.0.2.7"],
  pool: "lan",
  sharingKey: "key",
  annotations: { "fairlead.io/balance": "random", "fairlead.io/hostname": "web.example.com" },
};

/** The name that it stands under, and its fields, with hostile text in one place. */
const declared = fc.oneof(
  hostile("webby").map((name) => ({ name, fields: GOOD })),
  fc
    .constantFrom("namespace", "protocol", "pool", "sharingKey", "service", "name")
    .chain((key) =>
      hostile("shop").map((text) => ({ name: "webby", fields: { ...GOOD, [key]: text } })),
    ),
  fc
    .constantFrom(["members", "10.0.0.2:8443"], ["addresses", "192.0.2.7"], ["profiles", "http"])
    .chain(([key = "", good = ""]) =>
      hostile(good).map((text) => ({ name: "webby", fields: { ...GOOD, [key]: [text] } })),
    ),
  fc
    .tuple(fc.constantFrom(...Object.keys(GOOD.annotations)), hostile("random"))
    .map(([key, text]) => ({
      name: "webby",
      fields: { ...GOOD, annotations: { ...GOOD.annotations, [key]: text } },
    })),
  hostile("fairlead.io/balance").map((key) => ({
    name: "webby",
    fields: { ...GOOD, annotations: { [key]: "random" } },
  })),
);

/** Nothing that ends a line, moves a cursor, or hides and turns text. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

test("a hostile declaration is refused in safe words, or is a claim that is right", () => {
  const seen = { bad: 0, ok: 0 };
  fc.assert(
    fc.property(declared, ({ name, fields }) => {
      const read = readVirtualIp(name, JSON.stringify(fields));
      seen[read.kind] += 1;
      if (read.kind === "bad") {
        assert.doesNotMatch(read.detail, UNSAFE);
        assert.ok(read.namespace === undefined || isLabel(read.namespace));
        return;
      }
      const input = { vip: read.vip, backend: undefined, origin: "etcd" };
      const claim = translateVirtualIp(input, SAMPLE_SETTINGS);
      assert.ok(isLabel(claim.namespace) && isSubdomain(claim.name));
      for (const { members } of claim.listeners) {
        for (const { address } of members) assert.equal(parseAddress(address), address);
      }
      for (const { detail } of [...claim.remarks, ...claim.refusals]) {
        assert.doesNotMatch(detail, UNSAFE);
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(seen.bad > 100 && seen.ok > 100, JSON.stringify(seen));
});

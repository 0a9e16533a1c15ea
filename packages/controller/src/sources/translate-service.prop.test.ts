// What holds for every Service: order of input means nothing, nothing throws, and no text of a
// user's reaches a detail unescaped.

import assert from "node:assert/strict";
import { test } from "node:test";

import { anyText } from "@fairlead/testkit";
import fc from "fast-check";

import { ALIASES } from "./aliases.ts";
import { readObjects } from "./objects.ts";
import {
  type Fields,
  oursOf,
  parseSamples,
  sampleClaim,
  sampleNode,
  sampleService,
  sampleSlice,
} from "./sample-objects.ts";
import { SAMPLE_SETTINGS } from "./sample-objects.ts";
import { translateService } from "./translate-service.ts";

const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom("10.0.0.1", "10.0.0.2", "127.0.0.1", "x"),
);

const slice = fc.record({
  addressType: fc.constantFrom("IPv4", "IPv6", "FQDN"),
  ports: fc.array(
    fc.record({
      name: fc.constantFrom("http", "dns", ""),
      protocol: fc.constantFrom("TCP", "UDP"),
      port: fc.integer({ min: 8080, max: 8083 }),
    }),
    { maxLength: 3 },
  ),
  endpoints: fc.array(
    fc.record({
      addresses: fc.array(address, { maxLength: 3 }),
      conditions: fc.record({
        ready: fc.boolean(),
        serving: fc.boolean(),
        terminating: fc.boolean(),
      }),
    }),
    { maxLength: 5 },
  ),
});

const TWO_PORTS = {
  ports: [
    { name: "http", port: 80, targetPort: 8080 },
    { name: "dns", port: 53, protocol: "UDP", targetPort: "dns" },
  ],
};

test("slices, endpoints and ports in any order give the same claim", () => {
  fc.assert(
    fc.property(fc.array(slice, { maxLength: 4 }), fc.gen(), (slices, gen) => {
      const named = slices.map((each, index) => sampleSlice(each, `web-${index}`));
      const shuffled = shuffle(gen, named).map((each) => ({
        ...each,
        endpoints: shuffle(gen, Array.isArray(each["endpoints"]) ? each["endpoints"] : []),
      }));
      const ports = shuffle(gen, TWO_PORTS.ports);
      assert.deepEqual(
        oursOf([sampleService({ ports }), ...shuffled]),
        oursOf([sampleService(TWO_PORTS), ...named]),
      );
    }),
  );
});

test("nodes in any order give the same claim, bounded or not", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.gen(), (count, gen) => {
      const nodes = Array.from({ length: count }, (_, index) =>
        sampleNode(`n${index}`, { InternalIP: `10.0.0.${index + 1}` }),
      );
      const ports = [{ name: "http", port: 80, nodePort: 30_080 }];
      const service = sampleService({ ports }, { annotations: { "fairlead.io/max-nodes": "4" } });
      const settings = { members: "nodes" } as const;
      assert.deepEqual(
        oursOf([service, ...shuffle(gen, nodes)], settings),
        oursOf([service, ...nodes], settings),
      );
    }),
  );
});

const text = fc.oneof(
  anyText({ maxLength: 150 }),
  fc.constantFrom('a"b', "a\nb", "a;b{", "\u0000", "\u001b[31m", "\u202e", "x".repeat(5000)),
);

const wild: fc.Arbitrary<Fields> = fc
  .record({
    spec: fc.record(
      {
        loadBalancerClass: text,
        loadBalancerIP: text,
        loadBalancerSourceRanges: fc.array(text, { maxLength: 3 }),
        ports: fc.array(
          fc.record({
            name: text,
            protocol: fc.oneof(text, fc.constant("TCP")),
            port: fc.integer({ min: 1, max: 3 }),
            targetPort: text.filter((each) => each !== ""),
          }),
          { maxLength: 4 },
        ),
      },
      { requiredKeys: [] },
    ),
    annotations: fc.dictionary(
      fc.oneof(
        fc.constantFrom(...Object.keys(ALIASES).map((wish) => `fairlead.io/${wish}`)),
        fc.constantFrom(...Object.values(ALIASES).flat()),
        text.map((each) => `fairlead.io/${each}`),
      ),
      text,
    ),
    labels: fc.dictionary(text, text),
    manager: text,
  })
  .map(({ spec, annotations, labels, manager }) => {
    const fieldsV1 = { "f:status": { "f:loadBalancer": {} } };
    return sampleService(spec, { annotations, labels, managedFields: [{ manager, fieldsV1 }] });
  });

test("arbitrary text in every field never throws and never reaches a detail unescaped", () => {
  fc.assert(
    fc.property(wild, fc.array(fc.array(text), { maxLength: 3 }), (service, addresses) => {
      const endpoints = addresses.map((each) => ({ addresses: each }));
      const claim = oursOf([service, sampleSlice({ endpoints })]);
      for (const { detail } of [...claim.refusals, ...claim.remarks]) assertSafe(detail);
      assertSafe(JSON.stringify([claim.listeners, claim.wishedAddresses, claim.sharingKey]));
    }),
  );
});

test("arbitrary names never throw and never reach a title unescaped", () => {
  fc.assert(
    fc.property(text, text, text, (name, namespace, uid) => {
      const { objects, bad } = readObjects(sampleService({}, { name, namespace, uid }), "web.yaml");
      for (const each of bad) {
        assertSafe(each.title);
        assertSafe(each.detail);
      }
      for (const { identity } of objects) assert.match(identity.name, /^[a-z0-9.-]+$/u);
    }),
  );
});

test("arbitrary values in place of any field never throw", () => {
  const keys = ["metadata", "spec", "status", "endpoints", "ports", "addressType", "items"];
  const value = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue());
  const kinds = fc.constantFrom("Service", "EndpointSlice", "Node", "AddressPool", "List");
  const versions = fc.constantFrom("v1", "discovery.k8s.io/v1", "fairlead.io/v1alpha1");
  fc.assert(
    fc.property(value, kinds, versions, (fields, kind, apiVersion) => {
      const metadata = { name: "x", ...(fields["metadata"] as object | null) };
      for (const each of readObjects({ ...fields, apiVersion, kind, metadata }, "x.yaml").bad) {
        assertSafe(each.detail);
      }
    }),
  );
});

test("translating twice gives an equal claim", () => {
  fc.assert(
    fc.property(wild, (service) => {
      const [object] = parseSamples([service]);
      assert(object?.kind === "Service");
      const input = { ...object, service: object.value, slices: [], nodes: [] };
      assert.deepEqual(translateService(input, SAMPLE_SETTINGS), sampleClaim([service]));
    }),
  );
});

/** No control character, and every quote either opens, closes or is escaped. */
function assertSafe(detail: string): void {
  // oxlint-disable-next-line no-control-regex -- finding control characters is the purpose
  assert.doesNotMatch(detail, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/u);
  assert.ok(detail.length < 5000, "a detail is bounded");
}

function shuffle<T>(gen: fc.GeneratorValue, items: readonly T[]): readonly T[] {
  return gen(fc.shuffledSubarray<T>, [...items], {
    minLength: items.length,
    maxLength: items.length,
  });
}

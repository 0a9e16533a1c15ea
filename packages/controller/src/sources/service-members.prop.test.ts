// Members of Services with any slices, against the rule written out plainly: each port by itself,
// each slice by itself, with no thought for the time that takes.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  compareAddress,
  compareBy,
  compareNumber,
  type Member,
  parseAddress,
  present,
} from "@fairlead/model";
import fc from "fast-check";

import { createRemarkList } from "./remarks.ts";
import { endpointMembers } from "./service-members.ts";
import type { ServicePort } from "./service-object.ts";
import type { SliceEndpoint, SliceObject, SlicePort } from "./slice-object.ts";

const NAMES = ["", "http", "dns", "web"];
const API_SERVERS: ReadonlySet<string> = new Set(["10.0.0.1 6443", "2001:db8::1 8080"]);
const number = fc.constantFrom(6443, 8080, 8081);

const servicePort: fc.Arbitrary<ServicePort> = fc.record({
  name: fc.constantFrom(...NAMES),
  protocol: fc.constantFrom("TCP", "UDP"),
  port: number,
  targetPort: fc.option(fc.oneof(number, fc.constantFrom(0, "http", "web")), { nil: undefined }),
});

const slicePort: fc.Arbitrary<SlicePort> = fc.record({
  name: fc.constantFrom(...NAMES),
  protocol: fc.constantFrom("TCP", "UDP"),
  port: fc.option(number, { nil: undefined }),
});

const endpoint: fc.Arbitrary<SliceEndpoint> = fc.record({
  addresses: fc.uniqueArray(
    fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.10", "2001:db8::1", "2001:db8::2"),
    { maxLength: 2 },
  ),
  ready: fc.boolean(),
  serving: fc.boolean(),
  terminating: fc.boolean(),
});

/** Some slices have so many endpoints more that two of them are above what a listener may have. */
const crowd: fc.Arbitrary<readonly SliceEndpoint[]> = fc
  .tuple(fc.constantFrom(0, 700), fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 3 }))
  .map(([size, net, drainsEach]) =>
    Array.from({ length: size }, (_, at) => ({
      addresses: [`10.${net}.${at % 200}.${Math.floor(at / 200) + 1}`],
      ready: at % drainsEach !== 0,
      serving: true,
      terminating: true,
    })),
  );

const slice: fc.Arbitrary<SliceObject> = fc
  .record({
    endpoints: fc.array(endpoint, { maxLength: 4 }),
    crowd,
    ports: fc.array(slicePort, { maxLength: 4 }),
  })
  .map(({ endpoints, crowd: more, ports }) => ({
    metadata: { name: "web-1" },
    addressType: "IPv4",
    endpoints: [...more, ...endpoints],
    ports,
  }));

test("however many ports and slices share the work, each port has the members of its own", () => {
  fc.assert(
    fc.property(
      fc.array(servicePort, { minLength: 1, maxLength: 5 }),
      fc.array(slice, { maxLength: 4 }),
      (ports, slices) => {
        const remarks = createRemarkList();
        const find = endpointMembers({ slices, ports, apiServers: API_SERVERS }, remarks);
        for (const port of ports) assert.deepEqual(find(port), plainMembers(port, ports, slices));
      },
    ),
  );
});

function plainMembers(
  port: ServicePort,
  ports: readonly ServicePort[],
  slices: readonly SliceObject[],
): readonly Member[] {
  const found = new Map<string, Member>();
  for (const { endpoints, ports: slicePorts } of slices) {
    for (const member of plainNumbers(port, ports, slicePorts).flatMap(plainMembersAt(endpoints))) {
      const key = `${member.address} ${member.port}`;
      if (API_SERVERS.has(key) || found.get(key)?.state === "active") continue;
      found.set(key, member);
    }
  }
  const byPlace = compareBy<Member>(
    (a, b) => compareAddress(a.address, b.address),
    (a, b) => compareNumber(a.port, b.port),
  );
  const sorted = [...found.values()].toSorted(byPlace);
  const active = sorted.filter(({ state }) => state === "active");
  const draining = sorted.filter(({ state }) => state === "draining");
  const kept = [...active, ...draining].slice(0, 1024).toSorted(byPlace);
  return active.length > 0 ? kept : kept.map((member) => ({ ...member, state: "active" }));
}

function plainMembersAt(
  endpoints: readonly SliceEndpoint[],
): (number: number) => readonly Member[] {
  return (each) =>
    endpoints.flatMap(({ addresses, ready, serving, terminating }) => {
      if (!ready && !(serving && terminating)) return [];
      return addresses.map((text): Member => {
        const address = present(parseAddress(text), text);
        return { address, port: each, weight: 1, state: ready ? "active" : "draining" };
      });
    });
}

/** The rules in their order: the first that finds anything decides. */
function plainNumbers(
  { name, protocol, port, targetPort }: ServicePort,
  ports: readonly ServicePort[],
  slicePorts: readonly SlicePort[],
): readonly number[] {
  const target = targetPort === 0 || targetPort === undefined ? port : targetPort;
  const names = ports.map((each) => each.name).filter((each) => each !== "" && each !== name);
  const isFree = (each: SlicePort): boolean => !names.includes(each.name);
  const rules: readonly ((each: SlicePort) => boolean)[] = [
    (each) => each.name === name && each.port === target,
    (each) => each.name === name,
    (each) => each.name === target && isFree(each),
    (each) => each.port === target && isFree(each),
  ];
  const candidates = slicePorts.filter((each) => each.protocol === protocol);
  const found = rules.map((rule) => candidates.filter(rule).flatMap((each) => each.port ?? []));
  return found.find((numbers) => numbers.length > 0) ?? [];
}

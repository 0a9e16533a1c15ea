// Slices with more endpoints, ports and addresses than a listener may have members: who is left
// out, and that nothing bursts.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  ENDING,
  membersOf,
  oursOf,
  saidOf,
  sampleEndpoint,
  sampleService,
  sampleSlice,
} from "./sample-objects.ts";

test("1024 pods that end do not push out the two that took over from them", () => {
  const old = Array.from({ length: 1024 }, (_, index) =>
    sampleEndpoint(`10.0.${Math.floor(index / 200)}.${(index % 200) + 1}`, {
      ready: false,
      ...ENDING,
    }),
  );
  const young = [sampleEndpoint("10.9.0.2"), sampleEndpoint("10.9.0.1")];
  const members = membersOf(
    oursOf([sampleService(), sampleSlice({ endpoints: [...old, ...young] })]),
  );
  assert.equal(members.length, 1024);
  assert.equal(members[0], "10.0.0.1:8080 draining");
  assert.deepEqual(members.slice(-2), ["10.9.0.1:8080", "10.9.0.2:8080"]);
});

test("a slice with one number 20000 times has each member once, and nothing bursts", () => {
  const endpoints = Array.from({ length: 1000 }, (_, index) => ({
    addresses: [0, 1, 2, 3].map((net) => `10.${net}.${Math.floor(index / 250)}.${index % 250}`),
  }));
  const ports = Array.from({ length: 20_000 }, (_, index) => ({ name: `p${index}`, port: 8080 }));
  const claim = oursOf([sampleService(), sampleSlice({ ports, endpoints })]);
  assert.equal(membersOf(claim).length, 1024);
  assert.deepEqual(saidOf(claim).remarks, [
    'BadMember: port "http": 2976 members above 1024 left out',
  ]);
});

test("a slice with 20000 numbers of one name gives members of the lowest 16", () => {
  const endpoints = Array.from({ length: 1000 }, (_, index) => ({
    addresses: [`10.0.${Math.floor(index / 250)}.${index % 250}`],
  }));
  const ports = Array.from({ length: 20_000 }, (_, index) => ({
    name: "http",
    port: 40_000 - index,
  }));
  const targetPort = "web";
  const service = sampleService({ ports: [{ name: "http", port: 80, targetPort }] });
  const claim = oursOf([service, sampleSlice({ ports, endpoints })]);
  assert.deepEqual(
    membersOf(claim)
      .slice(0, 17)
      .map((one) => one.split(":")[1]),
    [...Array.from({ length: 16 }, (_, index) => `${20_001 + index}`), "20001"],
  );
  assert.deepEqual(saidOf(claim).remarks, [
    'BadMember: an EndpointSlice has 20000 numbers for port "http"; those after the first 16 left out',
    'BadMember: port "http": 14976 members above 1024 left out',
  ]);
});

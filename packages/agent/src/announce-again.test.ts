// What neighbours are told again, on a fake clock: when a link comes back, and a few at a time.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Address, parseAddress, parseDeviceName, present, vipName } from "@fairlead/model";
import { createFakeClock } from "@fairlead/runtime";
import { createFakeHost, createFakeSegment } from "@fairlead/testkit";

import { type Place, placesHeld, placesInLanes, startAnnouncingAgain } from "./announce-again.ts";
import { NOTHING_APPLIED } from "./applied.ts";
import type { ConvergeView } from "./converge-view.ts";

const ETH0 = present(parseDeviceName("eth0"), "a device");
const ETH1 = present(parseDeviceName("eth1"), "a device");
const at = (last: number): Address => present(parseAddress(`192.0.2.${last}`), "an address");

async function stage(held: readonly Place[]) {
  const clock = createFakeClock();
  const segment = createFakeSegment({ clock });
  const host = createFakeHost({ name: "lb1", prefix: "192.0.2.11/24", segment, clock });
  const { kernel, announcer } = host;
  const again = await startAnnouncingAgain({ clock, kernel, announcer, held: () => held });
  return { clock, host, [Symbol.asyncDispose]: () => again[Symbol.asyncDispose]() };
}

const two: readonly Place[] = [
  { address: at(100), link: ETH0 },
  { address: at(101), link: ETH1 },
];

test("a link that comes up tells of what it carries, once, and of nothing else", async () => {
  await using s = await stage(two);
  await s.clock.advance(1000);
  assert.deepEqual(s.host.announced, []);
  s.host.setLink(false);
  await s.clock.advance(1000);
  assert.deepEqual(s.host.announced, [], "a link that goes down tells nobody");
  s.host.setLink(true);
  await s.clock.advance(1000);
  assert.deepEqual(s.host.announced, ["192.0.2.100"]);
  s.host.addForeign("192.0.2.200");
  await s.clock.advance(1000);
  assert.deepEqual(s.host.announced, ["192.0.2.100"], "other events are no news");
});

test("a few addresses are told of every half minute, and all of them in turn", async () => {
  const many = Array.from({ length: 40 }, (_, index) => ({ address: at(100 + index), link: ETH0 }));
  await using s = await stage(many);
  await s.clock.advance(31_000);
  assert.equal(s.host.announced.length, 15);
  await s.clock.advance(60_000);
  assert.deepEqual(
    s.host.announced,
    many.map(({ address }) => address),
  );
  await s.clock.advance(30_000);
  assert.deepEqual(s.host.announced.slice(40), s.host.announced.slice(0, 15), "and from the start");
});

test("nothing is told any more after the end", async () => {
  const s = await stage(two);
  await s[Symbol.asyncDispose]();
  s.host.setLink(false);
  s.host.setLink(true);
  await s.clock.advance(120_000);
  assert.deepEqual(s.host.announced, []);
});

test("a host that is asked tells of the VIPs that its lanes have here, and of no others", () => {
  const addresses = [at(11), at(100), at(101), at(102)].map((address) => ({
    address,
    prefixLength: 32,
    link: ETH0,
  }));
  const carriers = [
    [at(100), { kind: "lane" }],
    [at(101), { kind: "link" }],
    [at(103), { kind: "lane" }],
  ] as const;
  const resources = new Map(
    carriers.map(([address, carrier]) => [vipName(address), { kind: "vip", carrier }]),
  );
  const look = { observed: { kernel: { addresses } } };
  const view = { wanted: { plan: { resources } }, look } as unknown as ConvergeView;
  assert.deepEqual(
    placesInLanes(view).map(({ address }) => address),
    ["192.0.2.100"],
  );
});

test("what is told is what the agent added and the kernel has", () => {
  const addresses = [at(11), at(100)].map((address) => ({ address, prefixLength: 24, link: ETH0 }));
  const applied = {
    ...NOTHING_APPLIED,
    attached: new Map([at(100), at(102)].map((one) => [one, "r" as never])),
  };
  const look = { observed: { kernel: { addresses } } };
  const view = { applied, look } as unknown as ConvergeView;
  assert.deepEqual(
    placesHeld(view).map(({ address }) => address),
    ["192.0.2.100"],
  );
});

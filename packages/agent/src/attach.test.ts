// Addresses that the agent puts on its device itself, through the real loop on a host that behaves:
// they come, stay, are put back, are renewed and go; what was there before us is nobody's to
// remove.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Resource } from "@fairlead/model";
import {
  acceptedPlan,
  address,
  device,
  deviceVipOf,
  type FakeAgent,
  type FakeHost,
  fakeWorld,
  listenerOf,
  restartFakeAgent,
  startFakeAgent,
} from "@fairlead/testkit";
import { createLogger, type FakeClock } from "@fairlead/runtime";

import { LIFETIME_MS } from "./attach.ts";
import { leaveAddresses } from "./leave-addresses.ts";

const WEB = listenerOf("192.0.2.100:80/tcp", ["10.1.0.1:8080"]);
const plan = (...resources: readonly Resource[]): ReturnType<typeof acceptedPlan> =>
  acceptedPlan("a", resources);
const SERVED = plan(deviceVipOf("192.0.2.100"), ...WEB);
const LINES = ["address 192.0.2.100", "listen 192.0.2.100:80"];

async function ledgerOf({ host }: FakeAgent): Promise<readonly string[]> {
  const entries = await host.ledger.load();
  return entries.map(
    (entry) => `${entry.address}${entry.foreign ? " foreign" : ""}${entry.added ? " added" : ""}`,
  );
}

function addressesOf({ host }: FakeAgent): readonly string[] {
  return host.lines().flatMap((line) => /^address (.*)/.exec(line)?.[1] ?? []);
}

/** An address with more listeners than a few tries find out of. */
const SLOW: readonly Resource[] = [
  deviceVipOf("192.0.2.101"),
  ...[80, 81, 82, 83, 84, 85, 86, 87].flatMap((port) =>
    listenerOf(`192.0.2.101:${port}/tcp`, ["10.1.0.1:8080"]),
  ),
];
/** A check or a proof that runs into its deadline, in ms. */
const REFUSAL_MS = 10_000;

/** An agent whose nginx refuses each listener of 192.0.2.101, and takes its time for that. */
async function slowAgent(
  clock: FakeClock,
  host: FakeHost,
): Promise<{ readonly a: FakeAgent; readonly refused: () => number }> {
  let count = 0;
  const a = await restartFakeAgent(clock, host, {
    ...host.nginx,
    apply: async (text, ...more) => {
      if (!text.includes("192.0.2.101:")) return await host.nginx.apply(text, ...more);
      count += 1;
      await clock.sleep(REFUSAL_MS);
      return { kind: "refused", remark: { reason: "ConfigRejected", detail: "it did not answer" } };
    },
  });
  return { a, refused: () => count };
}

async function prefixOf({ host }: FakeAgent, text: string): Promise<number | undefined> {
  const { addresses } = await host.kernel.view();
  return addresses.find((entry) => entry.address === address(text))?.prefixLength;
}

test("an address is added with its network's length, announced, proved, and renewed for ever", async () => {
  const { clock, segment } = fakeWorld();
  const a = await startFakeAgent({ clock, segment }, "a");
  a.loop.accept(SERVED);
  await clock.advance(1000);
  assert.deepEqual(a.host.lines(), LINES);
  assert.equal(await prefixOf(a, "192.0.2.100"), 24);
  assert.deepEqual(a.host.announced, ["192.0.2.100"]);
  assert.deepEqual(await ledgerOf(a), ["192.0.2.100 added"]);
  const said = a.last().resources.get(deviceVipOf("192.0.2.100").name);
  assert.equal(said?.step, "serving");
  assert.deepEqual(
    a.last().links.map(({ prefixes }) => prefixes.map((prefix) => prefix.address)),
    [["192.0.2.11"]],
    "it is none of the host's own addresses",
  );
  await clock.advance(10 * LIFETIME_MS);
  assert.deepEqual(a.host.lines(), LINES);
  assert.deepEqual(a.host.announced, ["192.0.2.100"], "a longer life is no news");
});

test("what others remove is put back within a second, and told again", async () => {
  const { clock, segment } = fakeWorld();
  const a = await startFakeAgent({ clock, segment }, "a");
  a.loop.accept(SERVED);
  await clock.advance(5000);
  for (let round = 0; round < 3; round++) {
    a.host.takeAway("192.0.2.100");
    await clock.advance(900);
    assert.deepEqual(a.host.lines(), LINES);
  }
  assert.equal(a.host.announced.length, 4);
});

test("of an agent that is dead the kernel removes it, and the next one brings it back", async () => {
  const { clock, segment } = fakeWorld();
  const a = await startFakeAgent({ clock, segment }, "a");
  a.loop.accept(SERVED);
  await clock.advance(1000);
  await a.loop[Symbol.asyncDispose]();
  await clock.advance(LIFETIME_MS / 2);
  assert.deepEqual(a.host.lines(), LINES, "an upgrade takes nothing away");
  await clock.advance(LIFETIME_MS);
  assert.deepEqual(a.host.lines(), ["listen 192.0.2.100:80"]);
  const again = await restartFakeAgent(clock, a.host);
  await clock.advance(1000);
  assert.deepEqual(again.host.lines(), LINES);
});

test("an agent that is ended amid a pass keeps its addresses until the pass has ended", async () => {
  const { clock, segment } = fakeWorld();
  const first = await startFakeAgent({ clock, segment }, "a");
  await first.loop[Symbol.asyncDispose]();
  const { a, refused } = await slowAgent(clock, first.host);
  a.loop.accept(SERVED);
  await clock.advance(1000);
  assert.deepEqual(a.host.lines(), LINES);
  a.loop.accept(plan(deviceVipOf("192.0.2.100"), ...WEB, ...SLOW));
  await clock.advance(1000);
  let isEnded = false;
  const ended = a.loop[Symbol.asyncDispose]().then(() => (isEnded = true));
  while (!isEnded) {
    assert.ok(a.host.lines().includes("address 192.0.2.100"), `after ${refused()} tries`);
    await clock.advance(1000);
  }
  await ended;
  assert.ok(refused() * REFUSAL_MS > LIFETIME_MS, `${refused()} tries`);
});

test("it goes with its last user", async () => {
  const { clock, segment } = fakeWorld();
  const a = await startFakeAgent({ clock, segment }, "a");
  const dns = listenerOf("192.0.2.100:53/tcp", ["10.1.0.1:8080"]);
  a.loop.accept(plan(deviceVipOf("192.0.2.100"), ...WEB, ...dns));
  await clock.advance(3000);
  a.loop.accept(SERVED);
  await clock.advance(3000);
  assert.deepEqual(a.host.lines(), LINES, "the other one still uses it");
  a.loop.accept(plan());
  await clock.advance(5000);
  assert.deepEqual(a.host.lines(), []);
  assert.deepEqual(await ledgerOf(a), []);
});

test("an address that was there before us is used, is the host's own, and is never removed", async () => {
  const { clock, segment } = fakeWorld();
  const a = await startFakeAgent({ clock, segment }, "a");
  a.host.addForeign("192.0.2.100");
  a.loop.accept(SERVED);
  await clock.advance(2000);
  assert.deepEqual(a.host.lines(), LINES);
  assert.deepEqual(await ledgerOf(a), ["192.0.2.100 foreign"]);
  assert.deepEqual(a.host.announced, []);
  assert.equal(a.last().resources.get(deviceVipOf("192.0.2.100").name)?.step, "serving");
  const own = a.last().links.flatMap(({ prefixes }) => prefixes.map((prefix) => prefix.address));
  assert.deepEqual(own, ["192.0.2.11", "192.0.2.100"]);
  a.loop.accept(plan());
  await clock.advance(5000);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100"]);
});

test("a host's own address is never added by us, also when the host has another one now", async () => {
  const { clock, segment } = fakeWorld();
  const a = await startFakeAgent({ clock, segment }, "a");
  a.host.addForeign("192.0.2.100");
  a.loop.accept(plan(deviceVipOf("192.0.2.100", { adopts: true }), ...WEB));
  await clock.advance(2000);
  assert.deepEqual(a.host.lines(), LINES);
  a.host.takeAway("192.0.2.100");
  await clock.advance(5000);
  assert.deepEqual(a.host.lines(), ["listen 192.0.2.100:80"]);
});

test("the loop made nine passes a second while the address was on a second device too", async () => {
  const { clock, segment } = fakeWorld();
  const a = await startFakeAgent({ clock, segment }, "a");
  a.loop.accept(SERVED);
  await clock.advance(2000);
  const { kernel } = a.host;
  const view = kernel.view.bind(kernel);
  const copy = { address: address("192.0.2.100"), prefixLength: 32, link: device("eth9") };
  const seen = async (): ReturnType<typeof kernel.view> => {
    const now = await view();
    return { ...now, addresses: [...now.addresses, copy] };
  };
  Object.assign(kernel, { view: seen });
  const before = a.loop.view().passes;
  await clock.advance(60_000);
  assert.equal(a.loop.view().passes, before, "it is where it has to be");
});

test("the loop made nine passes a second while the disk was full and an address was new", async () => {
  const { clock, segment } = fakeWorld();
  let isFull = false;
  const a = await startFakeAgent({ clock, segment }, "a", {
    failing: (call) => isFull && call === "ledger.save",
  });
  await clock.advance(2000);
  isFull = true;
  a.loop.accept(SERVED);
  await clock.advance(60_000);
  assert.ok(a.loop.view().passes <= 20, `${a.loop.view().passes} passes in a minute`);
  isFull = false;
  await clock.advance(6000);
  assert.deepEqual(a.host.lines(), LINES);
});

test("all addresses ran out while the disk was full and a new one could not be recorded", async () => {
  const { clock, segment } = fakeWorld();
  let isFull = false;
  const a = await startFakeAgent({ clock, segment }, "a", {
    failing: (call) => isFull && call === "ledger.save",
  });
  a.loop.accept(SERVED);
  await clock.advance(2000);
  isFull = true;
  const one = [deviceVipOf("192.0.2.100"), deviceVipOf("192.0.2.101")];
  a.loop.accept(acceptedPlan("a", one));
  await clock.advance(180_000);
  assert.deepEqual(addressesOf(a), ["192.0.2.100"]);
  assert.deepEqual(a.host.announced, ["192.0.2.100"], "it never went");
  a.host.takeAway("192.0.2.100");
  await clock.advance(6000);
  assert.deepEqual(addressesOf(a), ["192.0.2.100"], "it is put back as well");
});

test("all addresses ran out while nginx took minutes to refuse a new one's listeners", async () => {
  const { clock, segment } = fakeWorld();
  const { host } = await startFakeAgent({ clock, segment }, "a");
  const { a, refused } = await slowAgent(clock, host);
  a.loop.accept(SERVED);
  await clock.advance(2000);
  a.loop.accept(plan(deviceVipOf("192.0.2.100"), ...WEB, ...SLOW));
  for (let second = 0; second < 200; second++) {
    await clock.advance(1000);
    assert.ok(addressesOf(a).includes("192.0.2.100"), `after ${second} s`);
  }
  assert.ok(refused() * REFUSAL_MS > 2 * LIFETIME_MS, "the pass took minutes");
});

test("an agent that came back lost its addresses to a first pass that took minutes", async () => {
  const { clock, segment } = fakeWorld();
  const a = await startFakeAgent({ clock, segment }, "a");
  a.loop.accept(plan(deviceVipOf("192.0.2.100"), ...WEB, ...SLOW));
  await clock.advance(2000);
  await a.loop[Symbol.asyncDispose]();
  a.host.killNginx();
  const again = await slowAgent(clock, a.host);
  await clock.advance(2 * LIFETIME_MS);
  assert.ok(again.refused() > 0);
  assert.deepEqual(addressesOf(again.a), ["192.0.2.100", "192.0.2.101"]);
});

test("an address that is not wanted any more goes within a minute, though a pass hangs", async () => {
  const { clock, segment } = fakeWorld();
  const { host } = await startFakeAgent({ clock, segment }, "a");
  const a = await restartFakeAgent(clock, host, {
    ...host.nginx,
    apply: (text, ...more) =>
      text.includes("192.0.2.101:") ? new Promise(() => {}) : host.nginx.apply(text, ...more),
  });
  a.loop.accept(SERVED);
  await clock.advance(2000);
  a.loop.accept(plan(deviceVipOf("192.0.2.100"), ...WEB, ...SLOW));
  await clock.advance(10 * LIFETIME_MS);
  assert.deepEqual(addressesOf(a), ["192.0.2.100"]);
  a.loop.accept(plan(...SLOW));
  await clock.advance(LIFETIME_MS);
  assert.deepEqual(addressesOf(a), []);
});

test("a kernel that refuses one address is asked again, and the others are served", async () => {
  let isRefusing = true;
  const { clock, segment } = fakeWorld();
  const a = await startFakeAgent({ clock, segment }, "a", {
    failing: (call) => isRefusing && call === "kernel.putAddress",
  });
  a.loop.accept(SERVED);
  await clock.advance(2000);
  const { name } = deviceVipOf("192.0.2.100");
  assert.equal(a.last().resources.get(name)?.problem?.reason, "DataPlaneDown");
  assert.equal(a.last().resources.get(name)?.step, "received");
  isRefusing = false;
  await clock.advance(6000);
  assert.deepEqual(a.host.lines(), LINES);
  assert.equal(a.last().resources.get(name)?.problem, undefined);
});

for (const { policy, lines, ledger } of [
  { policy: "remove", lines: ["listen 192.0.2.100:80"], ledger: [] },
  { policy: "keep", lines: LINES, ledger: ["192.0.2.100 added"] },
  { policy: "keep-alive", lines: ["listen 192.0.2.100:80"], ledger: ["192.0.2.100 added"] },
] as const) {
  test(`after an end that asks to ${policy}, an hour later`, async () => {
    const { clock, segment } = fakeWorld();
    const a = await startFakeAgent({ clock, segment }, "a");
    a.loop.accept(SERVED);
    await clock.advance(1000);
    await a.loop[Symbol.asyncDispose]();
    await leave(a.host, policy);
    await clock.advance(3_600_000);
    assert.deepEqual(a.host.lines(), lines);
    assert.deepEqual(await ledgerOf(a), ledger);
  });
}

test("after an end at which one address cannot be removed the others are gone, and it is named", async () => {
  const { clock, segment } = fakeWorld();
  const a = await startFakeAgent({ clock, segment }, "a");
  a.loop.accept(plan(deviceVipOf("192.0.2.100"), ...WEB, ...SLOW));
  await clock.advance(2000);
  assert.deepEqual(addressesOf(a), ["192.0.2.100", "192.0.2.101"]);
  await a.loop[Symbol.asyncDispose]();
  const kernel: FakeHost["kernel"] = {
    ...a.host.kernel,
    removeAddress: (here) =>
      here.address === "192.0.2.100"
        ? Promise.reject(new Error("busy"))
        : a.host.kernel.removeAddress(here),
  };
  await leave({ ...a.host, kernel }, "remove");
  assert.deepEqual(addressesOf(a), ["192.0.2.100"]);
  assert.deepEqual(await ledgerOf(a), ["192.0.2.100 added"]);
});

async function leave(
  { kernel, ledger }: FakeHost,
  policy: "remove" | "keep" | "keep-alive",
): Promise<void> {
  const log = createLogger({ level: "silent", format: "text" });
  await leaveAddresses({ kernel, ledger, log, policy });
}

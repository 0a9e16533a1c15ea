// What one pass does to its host when a part of it refuses: the order of effects, and what is left
// alone then. The host is played by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type DeviceName, parseAddress, parseDeviceName, present } from "@fairlead/model";
import { EdgeError } from "@fairlead/runtime";
import {
  acceptedPlan,
  createFakeHost,
  fakeWorld,
  laneOf,
  listenerOf,
  restartFakeAgent,
  vipOf,
} from "@fairlead/testkit";

import { NOTHING_APPLIED } from "./applied.ts";
import { applySteps } from "./apply.ts";
import type { Host } from "./host.ts";
import type { ApplyOutcome } from "./ports.ts";
import type { Step } from "./steps.ts";

const link: DeviceName = present(parseDeviceName("eth0"), "a device name");
const address = present(parseAddress("192.0.2.100"), "an address");
const lane = laneOf({ routerId: 51, order: ["a=192.0.2.11", "b=192.0.2.12"] });
const vip = vipOf("192.0.2.100", lane);

const GUARD = { kind: "guard", vips: [], lanes: [], without: [] } as const;
const REMOVING: readonly Step[] = [
  { ...GUARD, exactly: false },
  { kind: "hold", lanes: [lane], vips: [], udpLanes: new Set() },
  { kind: "sweep", addresses: [{ address, prefixLength: 32, link }] },
  { kind: "forget", entries: [] },
  { ...GUARD, exactly: true },
];

/** A host that says what is done to it. */
function hostOf(outcome: ApplyOutcome): { readonly host: Host; readonly done: readonly string[] } {
  const done: string[] = [];
  const say = (text: string): Promise<void> => Promise.resolve(void done.push(text));
  const nginx: Host["nginx"] = {
    apply: () => Promise.resolve(outcome),
    check: () => Promise.resolve(undefined),
    generation: () => Promise.resolve(undefined),
    places: () => Promise.resolve(new Set()),
    retired: () => Promise.resolve(),
    generationsAlive: () => Promise.resolve([]),
    stop: () => Promise.resolve(),
    end: () => Promise.resolve(),
  };
  const host: Host = {
    keepalived: {
      apply: (_text, _count, rereads) =>
        say(rereads === true ? "keepalived again" : "keepalived").then(() => outcome),
      carries: () => Promise.resolve([]),
      alive: () => Promise.resolve(true),
      stop: () => say("keepalived stops"),
    },
    kernel: {
      view: () => Promise.resolve({ links: [], addresses: [] }),
      lastView: () => Promise.resolve({ links: [], addresses: [] }),
      putAddress: () => Promise.resolve(),
      routeLength: () => Promise.resolve(undefined),
      removeAddress: (entry) => say(`remove ${entry.address}`).then(() => true),
      onChange: () => ({ [Symbol.dispose]: () => undefined }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    segment: { ask: () => Promise.resolve(new Map()) },
    vrrp: {
      isAble: true,
      heard: () => [],
      adverts: () => undefined,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    guard: {
      guard: (_, keepsOthers) => say(keepsOthers ? "guard" : "guard exactly"),
      trouble: () => undefined,
    },
    announcer: { announce: () => undefined },
    ledger: { load: () => Promise.resolve([]), save: () => say("ledger") },
    nginx,
    nginxUdp: nginx,
    portProbe: { probe: () => Promise.resolve(undefined) },
    renderKeepalived: () => ({ text: "", vipCount: 0 }),
    renderNginx: () => "",
    nginxRefusals: () => [],
    generationOf: () => "",
  };
  return { host, done };
}

const context = {
  before: NOTHING_APPLIED,
  ledger: [],
  revisions: new Map(),
  nowMs: () => 0,
};

test("what keepalived carries no more is removed after it, and forgotten then", async () => {
  const { host, done } = hostOf({ kind: "applied", reloaded: true });
  await applySteps(host, REMOVING, context);
  assert.deepEqual(done, ["guard", "keepalived", "remove 192.0.2.100", "ledger", "guard exactly"]);
});

test("an address that cannot be removed keeps no other one on the host, and stays in the ledger", async () => {
  const { host, done } = hostOf({ kind: "applied", reloaded: true });
  const other = present(parseAddress("192.0.2.101"), "an address");
  const here = [address, other].map((one) => ({ address: one, prefixLength: 32, link }));
  const steps = REMOVING.map((step) =>
    step.kind === "sweep" ? { ...step, addresses: here } : step,
  );
  const kernel: Host["kernel"] = {
    ...host.kernel,
    removeAddress: (entry) =>
      entry.address === address
        ? Promise.reject(new EdgeError({ code: "IP", message: "busy", retryable: true }))
        : host.kernel.removeAddress(entry),
  };
  const result = await applySteps({ ...host, kernel }, steps, context);
  assert.deepEqual(done, ["guard", "keepalived", "remove 192.0.2.101"]);
  assert.match(result.applied.remarks[0]?.detail ?? "", /^cannot sweep: .*busy/);
});

test("nothing is removed while keepalived refuses its file: the old one may list it", async () => {
  const remark = { reason: "ConfigRejected", detail: "line 3: unknown keyword" } as const;
  const { host, done } = hostOf({ kind: "refused", remark });
  const result = await applySteps(host, REMOVING, context);
  assert.deepEqual(done, ["guard", "keepalived"]);
  assert.deepEqual(result.applied.remarks, [remark]);
  assert.equal(result.retry, true);
});

test("addresses go while nginx cannot be told anything, and no port that it serves is shut", async () => {
  const { host, done } = hostOf({ kind: "applied", reloaded: true });
  const dead = new EdgeError({ code: "DEADLINE", message: "too late", retryable: true });
  const nginx = { ...host.nginx, apply: () => Promise.reject(dead) };
  const steps: readonly Step[] = [{ kind: "serve", protocol: "tcp", listeners: [] }, ...REMOVING];
  const result = await applySteps({ ...host, nginx }, steps, context);
  assert.deepEqual(done, ["guard", "keepalived", "remove 192.0.2.100", "ledger"]);
  assert.equal(result.retry, true);
});

test("keepalived reads an unchanged file again when that is asked for", async () => {
  const { host, done } = hostOf({ kind: "applied", reloaded: true });
  await applySteps(host, REMOVING.slice(1, 2), { ...context, rereads: true });
  assert.deepEqual(done, ["keepalived again"]);
});

test("a run directory that takes no file is told from a daemon that is down", async () => {
  const full = new EdgeError({ code: "RUN_DIR", message: "no space left", retryable: true });
  const dead = new EdgeError({ code: "DEADLINE", message: "too late", retryable: true });
  for (const [error, reason] of [
    [full, "DiskUnwritable"],
    [dead, "DataPlaneDown"],
  ] as const) {
    const { host } = hostOf({ kind: "applied", reloaded: true });
    const keepalived = { ...host.keepalived, apply: () => Promise.reject(error) };
    const result = await applySteps({ ...host, keepalived }, REMOVING.slice(1, 2), context);
    assert.deepEqual(
      result.applied.remarks.map((remark) => remark.reason),
      [reason],
    );
    assert.equal(result.retry, true);
  }
});

test("a start of nginx for UDP that fails may have come through: it ends with its last listener", async () => {
  const { clock, segment } = fakeWorld();
  const host = createFakeHost({ name: "a", prefix: "192.0.2.11/24", segment, clock });
  const started: typeof host.nginxUdp.apply = async (text, generation) => {
    await host.nginxUdp.apply(text, generation);
    throw new EdgeError({ code: "DEADLINE", message: "nobody answered", retryable: true });
  };
  const nginxUdp = { ...host.nginxUdp, apply: started };
  const a = await restartFakeAgent(clock, { ...host, nginxUdp });
  a.loop.accept(acceptedPlan("a", []));
  await clock.advance(1000);
  a.loop.accept(
    acceptedPlan("a", [lane, vip, ...listenerOf("192.0.2.100:53/udp", ["10.0.0.1:53"])]),
  );
  await clock.advance(1000);
  const listens = (): boolean => host.lines().some((line) => line.includes(":53"));
  assert.ok(listens());
  a.loop.accept(acceptedPlan("a", [lane, vip]));
  await clock.advance(1000);
  assert.ok(!listens(), "nobody asks for it any more");
});

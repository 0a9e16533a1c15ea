// A host whose own address goes leaves its lanes to others, and comes back with the address or with
// a plan that names the one it has.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type LaneResource, parseAddress, parseDeviceName, present } from "@fairlead/model";
import { createFakeClock, createLogger } from "@fairlead/runtime";
import { agentName, laneOf } from "@fairlead/testkit";

import { startLeavingMuteLanes } from "./mute-lanes.ts";
import type { KernelAddress } from "./ports.ts";

const TWO = laneOf({ routerId: 51, order: ["lb-1=192.0.2.11", "lb-2=192.0.2.12"] });
const SOLE = laneOf({ routerId: 52, order: ["lb-1=192.0.2.11"] });
const MOVED = laneOf({ routerId: 51, order: ["lb-1=192.0.2.41", "lb-2=192.0.2.12"] });
const ETH0 = present(parseDeviceName("eth0"), "a device");

function stage(lanes: readonly LaneResource[]) {
  const clock = createFakeClock();
  const written: string[] = [];
  let before = "";
  const listeners = new Set<() => void>();
  const host = { lanes, addresses: ["192.0.2.11"], isBroken: false };
  const running = startLeavingMuteLanes({
    agent: agentName("lb-1"),
    clock,
    log: createLogger({ level: "silent", format: "text" }),
    kernel: {
      view: async () => {
        if (host.isBroken) throw new Error("the kernel does not answer");
        const addresses = host.addresses.map((text): KernelAddress => ({
          address: present(parseAddress(text), text),
          prefixLength: 24,
          link: ETH0,
        }));
        return { links: [], addresses };
      },
      onChange: (listener) => {
        listeners.add(listener);
        return { [Symbol.dispose]: () => void listeners.delete(listener) };
      },
    },
    lanes: () => host.lanes,
    files: {
      mute: async (all, isMute) => {
        const muted = all.filter(isMute).map(({ routerId }) => routerId);
        if (before !== muted.join(" ")) written.push(`mute: ${muted.join(" ")}`);
        before = muted.join(" ");
      },
    },
  });
  const change = async (addresses: readonly string[]): Promise<void> => {
    host.addresses = [...addresses];
    for (const listener of listeners) listener();
    await clock.advance(200);
  };
  return {
    clock,
    host,
    written,
    change,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

test("an address that goes takes its lane off, but not a lane without a successor", async () => {
  await using s = stage([TWO, SOLE]);
  assert.deepEqual(s.written, []);
  await s.change([]);
  assert.deepEqual(s.written, ["mute: 51"]);
  await s.change(["192.0.2.11"]);
  assert.deepEqual(s.written, ["mute: 51", "mute: "]);
  await s.change(["192.0.2.11", "192.0.2.100"]);
  assert.deepEqual(s.written, ["mute: 51", "mute: "], "a lane that was not left is not touched");
});

test("a plan that names the new address brings the lane back without an event", async () => {
  await using s = stage([TWO]);
  await s.change(["192.0.2.41"]);
  assert.deepEqual(s.written, ["mute: 51"]);
  s.host.lanes = [MOVED];
  await s.clock.advance(1500);
  assert.deepEqual(s.written, ["mute: 51", "mute: "]);
});

test("an address that is there again within the same moment is no matter", async () => {
  await using s = stage([TWO]);
  const gone = s.change([]);
  s.host.addresses = ["192.0.2.11"];
  await gone;
  assert.deepEqual(s.written, []);
});

test("a kernel that does not answer is asked again", async () => {
  await using s = stage([TWO]);
  s.host.isBroken = true;
  await s.change([]);
  assert.deepEqual(s.written, []);
  s.host.isBroken = false;
  await s.clock.advance(1500);
  assert.deepEqual(s.written, ["mute: 51"]);
});

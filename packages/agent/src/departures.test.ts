// Whose connections are ended after an address left, and when: on the fake clock, looked at as the
// loop does, with adverts that are heard or not.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { LaneResource } from "@fairlead/model";
import { createFakeClock, createLogger } from "@fairlead/runtime";
import { acceptedPlan, address, device, deviceVipOf, laneOf, vipOf } from "@fairlead/testkit";

import { createDepartures } from "./departures.ts";
import type { AcceptedPlan, HeardAdverts, KernelAddress } from "./ports.ts";

const [VIP, OTHER, OWN] = ["192.0.2.100", "192.0.2.101", "192.0.2.12"];
const LANE: LaneResource = laneOf({ routerId: 51, order: ["a=192.0.2.11", "b=192.0.2.12"] });

/** A host whose looks come once a second. */
class Stage {
  readonly clock = createFakeClock();
  readonly ended: string[] = [];
  readonly lines: string[] = [];
  wanted: AcceptedPlan = acceptedPlan("b", [LANE, vipOf(VIP, LANE), vipOf(OTHER, LANE)]);
  adverts: readonly HeardAdverts[] = [];
  fails = false;
  readonly #departures = createDepartures({
    clock: this.clock,
    log: createLogger({
      level: "info",
      format: "json",
      destination: { write: (line: string): unknown => this.lines.push(line) },
    }),
    vrrp: { adverts: () => ({ readMs: this.clock.nowMs(), adverts: this.adverts }) },
    connections: {
      end: async (addresses) => {
        if (this.fails) throw new Error("ENOBUFS");
        this.ended.push(...addresses);
        return addresses.length;
      },
    },
  });

  async look(has: readonly string[]): Promise<void> {
    const addresses = has.map((one): KernelAddress => {
      return { address: address(one), prefixLength: 32, link: device("eth0") };
    });
    this.#departures.look({ wanted: this.wanted, kernel: { links: [], addresses } });
    await this.clock.advance(1000);
  }

  /** Adverts of the lane, or of another one, from a moment ago. */
  hear(source: string, routerId = LANE.routerId): void {
    const lastMs = this.clock.nowMs() - 50;
    this.adverts = [{ routerId, source: address(source), link: LANE.link, lastMs }];
  }
}

test("connections to an address hung after another host took it: they are ended then", async () => {
  const stage = new Stage();
  stage.hear("192.0.2.11");
  await stage.look([OWN, VIP, OTHER]);
  await stage.look([OWN, OTHER]);
  await stage.look([OWN, OTHER]);
  assert.deepEqual(stage.ended, [], "what was heard before it left says nothing");
  stage.hear("192.0.2.11");
  await stage.look([OWN, OTHER]);
  assert.deepEqual(stage.ended, [VIP]);
  assert.match(stage.lines.join(), /192\.0\.2\.100.*reset connections to addresses that left/);
  await stage.look([OWN, OTHER]);
  assert.deepEqual(stage.ended, [VIP], "once");
});

test("what somebody took off, and is put back, keeps its connections", async () => {
  const stage = new Stage();
  await stage.look([OWN, VIP]);
  for (let second = 0; second < 30; second += 1) await stage.look([OWN]);
  await stage.look([OWN, VIP]);
  stage.hear("192.0.2.11");
  await stage.look([OWN, VIP]);
  assert.deepEqual(stage.ended, []);
});

test("adverts of strangers and of other lanes are no takeover", async () => {
  const stage = new Stage();
  await stage.look([OWN, VIP]);
  await stage.look([OWN]);
  stage.hear("192.0.2.99");
  await stage.look([OWN]);
  stage.hear("192.0.2.11", LANE.routerId + 1);
  await stage.look([OWN]);
  assert.deepEqual(stage.ended, []);
});

test("an address that is asked for no more is left at once, and the host's own never", async () => {
  const stage = new Stage();
  await stage.look([OWN, VIP, OTHER]);
  stage.wanted = acceptedPlan("b", [LANE, vipOf(OTHER, LANE)]);
  await stage.look([OWN, VIP, OTHER]);
  assert.deepEqual(stage.ended, [], "while the host still has it");
  await stage.look([OTHER]);
  assert.deepEqual(stage.ended, [VIP]);
});

test("connections to an address that the agent put on its link hung when its Service went", async () => {
  const stage = new Stage();
  const own = deviceVipOf(OWN, { adopts: true });
  stage.wanted = acceptedPlan("b", [deviceVipOf(VIP), own]);
  await stage.look([OWN, VIP]);
  await stage.look([OWN]);
  assert.deepEqual(stage.ended, [], "it is put back");
  await stage.look([OWN, VIP]);
  stage.wanted = acceptedPlan("b", []);
  await stage.look([OWN]);
  assert.deepEqual(stage.ended, [VIP]);
  await stage.look([]);
  assert.deepEqual(stage.ended, [VIP], "an address of the host itself is its operator's");
});

test("what cannot be ended is tried again, and told once", async () => {
  const stage = new Stage();
  await stage.look([VIP]);
  stage.fails = true;
  await stage.look([]);
  stage.hear("192.0.2.11");
  for (let second = 0; second < 5; second += 1) await stage.look([]);
  assert.equal(stage.lines.length, 1);
  stage.fails = false;
  await stage.look([]);
  assert.deepEqual(stage.ended, [VIP]);
});

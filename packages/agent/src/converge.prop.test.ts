// Whatever an agent's host went through, a plan that is accepted comes to be exactly what the host
// has: its addresses, its listeners, and nothing else of ours.

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import type { Resource } from "@fairlead/model";
import {
  acceptedPlan,
  laneOf,
  listenerOf,
  vipOf,
  type FakeAgent,
  restartFakeAgent,
  startFakeAgent,
  fakeWorld,
} from "@fairlead/testkit";

const LANES = [51, 52].map((routerId) => laneOf({ routerId, order: ["a=192.0.2.11"] }));
/** Long enough for a pass, the one that removes, and a retry after a failure. */
const REST_MS = 12_000;

/** One VIP of a plan: in which lane, with which ports and members. */
interface Wish {
  readonly last: number;
  readonly lane: number;
  readonly ports: readonly number[];
  readonly member: number;
}

type Event =
  | { readonly kind: "plan"; readonly wishes: readonly Wish[] }
  | { readonly kind: "restart" | "kill keepalived" | "kill nginx" | "cut" | "heal" }
  | { readonly kind: "wait"; readonly ms: number };

const wishes: fc.Arbitrary<readonly Wish[]> = fc.uniqueArray(
  fc.record({
    last: fc.integer({ min: 100, max: 104 }),
    lane: fc.nat({ max: 1 }),
    ports: fc.uniqueArray(fc.integer({ min: 80, max: 83 }), { minLength: 1 }),
    member: fc.integer({ min: 21, max: 23 }),
  }),
  { selector: ({ last }) => last, maxLength: 5 },
);

const events: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    wishes.map((all): Event => ({ kind: "plan", wishes: all })),
    fc
      .constantFrom("restart", "kill keepalived", "kill nginx", "cut", "heal")
      .map((kind): Event => ({ kind })),
    fc.integer({ min: 1, max: 3000 }).map((ms): Event => ({ kind: "wait", ms })),
  ),
  { maxLength: 12 },
);

test("from any past, the host comes to have exactly what the plan says", async () => {
  await fc.assert(
    fc.asyncProperty(events, wishes, async (past, wanted) => {
      const stage = fakeWorld();
      let agent = await startFakeAgent(stage, "a");
      for (const event of past) agent = await live(stage, agent, event);
      agent.host.setLink(true);
      agent.loop.accept(acceptedPlan("a", resourcesOf(wanted)));
      await stage.clock.advance(REST_MS);
      assert.deepEqual(agent.host.lines(), linesOf(wanted));
      assert.deepEqual(agent.last().remarks, []);
      assert.deepEqual(agent.host.guard.letsIn(), openOf(wanted));
      assert.deepEqual(agent.host.guard.vips(), wanted.map(({ last }) => `192.0.2.${last}`).sort());
      assert.deepEqual(agent.host.guard.unguarded, [], "no address was ever there unguarded");
      const ledger = await agent.host.ledger.load();
      assert.equal(ledger.length, wanted.length, "the ledger names what is there");
      await agent.loop[Symbol.asyncDispose]();
    }),
    { numRuns: 60 },
  );
});

async function live(
  stage: ReturnType<typeof fakeWorld>,
  agent: FakeAgent,
  event: Event,
): Promise<FakeAgent> {
  switch (event.kind) {
    case "plan":
      agent.loop.accept(acceptedPlan("a", resourcesOf(event.wishes)));
      return agent;
    case "restart":
      await agent.loop[Symbol.asyncDispose]();
      return await restartFakeAgent(stage.clock, agent.host);
    case "kill keepalived":
      agent.host.killKeepalived();
      return agent;
    case "kill nginx":
      agent.host.killNginx();
      return agent;
    case "cut":
    case "heal":
      agent.host.setLink(event.kind === "heal");
      return agent;
    case "wait":
      await stage.clock.advance(event.ms);
      return agent;
  }
}

function resourcesOf(wanted: readonly Wish[]): readonly Resource[] {
  const lanes = LANES.filter((_, index) => wanted.some((wish) => wish.lane === index));
  const rest = wanted.flatMap(({ last, lane, ports, member }) => {
    const address = `192.0.2.${last}`;
    const at = LANES[lane];
    assert(at !== undefined, "a wish names a lane");
    const listeners = ports.flatMap((port) =>
      listenerOf(`${address}:${port}/tcp`, [`192.0.2.${member}:8080`]),
    );
    return [vipOf(address, at), ...listeners];
  });
  return [...lanes, ...rest];
}

function openOf(wanted: readonly Wish[]): readonly string[] {
  return wanted
    .flatMap(({ last, ports }) => ports.map((port) => `192.0.2.${last}:${port}/tcp`))
    .toSorted();
}

function linesOf(wanted: readonly Wish[]): readonly string[] {
  return wanted
    .flatMap(({ last, ports }) => [
      `address 192.0.2.${last}`,
      ...ports.map((port) => `listen 192.0.2.${last}:${port}`),
    ])
    .toSorted();
}

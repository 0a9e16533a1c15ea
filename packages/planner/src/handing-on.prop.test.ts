// How addresses go from one owner to the next, for any world and anything that happens to it: none
// does while an agent may still have it for the one before, and who was sent it is remembered.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Address, type LeasedAddress, type Plan, type World, vipName } from "@fairlead/model";
import { arbHistory, makeRevisionOf, playHistory, propertyRuns } from "@fairlead/testkit";
import fc from "fast-check";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
/** Histories of one property. */
const RUNS = 200;

function everyPlan(see: (world: World, planned: Plan) => void): void {
  fc.assert(
    fc.property(arbHistory, (history) => {
      playHistory(history, (world) => plan(world, { revisionOf }), see);
    }),
    propertyRuns(RUNS),
  );
}

/** An operator's word is believed, whatever agents may have. */
function isReleased({ intents }: World, address: Address): boolean {
  return intents.some((intent) => intent.kind === "release" && intent.address === address);
}

test("an address goes to another owner only when no agent may still have it", () => {
  everyPlan((world, planned) => {
    for (const row of planned.leases.values()) {
      const before = world.leases.get(row.address);
      if (before === undefined || row.owners.length === 0) continue;
      const isOldOwner = (id: string): boolean =>
        before.owners.some(({ claim }) => claim === id) || before.lastClaim === id;
      if (row.owners.some(({ claim }) => isOldOwner(claim))) continue;
      const isShared = row.sharingKey !== undefined && row.sharingKey === before.sharingKey;
      if (isShared || isReleased(world, row.address)) continue;
      const missing = before.sentTo.filter((name) => {
        const agent = world.agents.get(name);
        const isForgotten = world.intents.some(
          (intent) => intent.kind === "forget" && intent.agent === name,
        );
        const isGone = agent?.report?.resources.has(vipName(row.address)) === false;
        return !isForgotten && !(agent?.connected === true && isGone);
      });
      assert.deepEqual(missing, []);
    }
  });
});

test("agents that were sent an address are remembered until they report", () => {
  everyPlan((_world, planned) => {
    for (const { agent, resources } of planned.nodePlans.values()) {
      for (const resource of resources.values()) {
        if (resource.kind !== "vip") continue;
        const row: LeasedAddress | undefined = planned.leases.get(resource.address);
        assert.ok(row?.sentTo.includes(agent), `${resource.name} is sent to ${agent}`);
      }
    }
  });
});

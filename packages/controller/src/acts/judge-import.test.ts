// What an import is refused for: everything at once, with who is in the way.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type LeasedAddress, parseDeviceName, present, type World } from "@fairlead/model";
import {
  address,
  agentName,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
} from "@fairlead/testkit";
import { plan } from "@fairlead/planner";

import { judgeImport } from "./judge-import.ts";

const pools = [makePool("lan", "192.0.2.100-192.0.2.109"), makePool("zone", "198.51.100.0/28")];
const before = makeWorld({ claims: [makeClaim("web")], pools });
const world = nextWorld(before, plan(before, { revisionOf: makeRevisionOf() }));
const [held] = [...world.leases.values()];
assert.ok(held !== undefined);

function lease(text: string, owner: string, more: Partial<LeasedAddress> = {}): LeasedAddress {
  const claim = makeClaim(owner);
  const ports = [{ protocol: "tcp", port: 80 }] as const;
  assert.ok(held !== undefined);
  return {
    ...held,
    address: address(text),
    owners: [{ claim: claim.id, uid: claim.uid, ports }],
    lastClaim: claim.id,
    ...more,
  };
}

const other = makeClaim("other");
const port80 = { protocol: "tcp", port: 80 } as const;
const cases: readonly {
  readonly name: string;
  readonly leases: readonly LeasedAddress[];
  readonly why: readonly string[];
}[] = [
  {
    name: "an address that somebody else holds",
    leases: [lease("192.0.2.100", "other")],
    why: ["192.0.2.100 is held by default/web since 1970-01-01T00:16:40Z"],
  },
  {
    name: "a Service that has another address here",
    leases: [lease("192.0.2.105", "web")],
    why: ["192.0.2.105: default/web has 192.0.2.100"],
  },
  {
    name: "a Service that has two addresses in the file",
    leases: [lease("192.0.2.105", "other"), lease("192.0.2.106", "other")],
    why: ["192.0.2.106: default/other has 192.0.2.105"],
  },
  {
    name: "an address that stands in the file twice",
    leases: [lease("192.0.2.105", "a"), lease("192.0.2.105", "b")],
    why: ["192.0.2.105 stands in the file twice"],
  },
  {
    name: "a pool that is not there",
    leases: [lease("192.0.2.105", "a", { pool: makePool("lost", "10.9.9.9").name })],
    why: ["192.0.2.105: there is no pool lost that is used"],
  },
  {
    name: "an address of another pool",
    leases: [lease("198.51.100.3", "a")],
    why: ["198.51.100.3 lies in pool zone, and the file says lan"],
  },
  {
    name: "an address of no pool",
    leases: [lease("203.0.113.3", "a")],
    why: ["203.0.113.3 lies in no pool that is used"],
  },
  {
    name: "owners that have one port",
    leases: [
      lease("192.0.2.105", "a", {
        sharingKey: "k",
        owners: ["a", "b"].map((name) => {
          const { id: claim, uid } = makeClaim(name);
          return { claim, uid, ports: [port80] };
        }),
      }),
    ],
    why: ["192.0.2.105: two owners have 80/TCP"],
  },
];

for (const { name, leases, why } of cases) {
  test(`${name} is refused`, () => {
    const judged = judgeImport(world, leases);
    assert.ok(judged.kind === "refused");
    assert.deepEqual(judged.why, why);
  });
}

const link = present(parseDeviceName("eth0"), "a device name");

/** The world in which web is deleted, and its address waits for lb-2, which is out of reach. */
function whereWebDrains(sentTo: readonly string[] = ["lb-2"]): World {
  assert.ok(held !== undefined);
  const draining: LeasedAddress = {
    ...held,
    owners: [],
    placement: { kind: "host", agent: agentName("lb-2"), link },
    state: { kind: "draining", sinceMs: 1 },
    sentTo: sentTo.map(agentName),
  };
  return { ...world, leases: new Map([[held.address, draining]]) };
}

test("what drains for another names the agents that are waited for", () => {
  const judged = judgeImport(whereWebDrains(), [lease("192.0.2.100", "other")]);
  assert.ok(judged.kind === "refused");
  assert.deepEqual(judged.why, ["192.0.2.100 was default/web's and waits for lb-2"]);
});

test("what drains does not rest by an export of the time when it rested before", () => {
  assert.ok(held !== undefined);
  const state = { kind: "quarantined", untilMs: 2 } as const;
  const rested: LeasedAddress = { ...held, owners: [], state, sentTo: [] };
  const judged = judgeImport(whereWebDrains(), [rested]);
  assert.ok(judged.kind === "refused");
  assert.deepEqual(judged.why, ["192.0.2.100 was default/web's and waits for lb-2"]);
  const unsent = judgeImport(whereWebDrains([]), [rested]);
  assert.ok(unsent.kind === "refused");
  assert.deepEqual(unsent.why, ["192.0.2.100 was default/web's and waits for the next plan"]);
});

test("what drains for the Service that has it in the file is still waited for", () => {
  assert.ok(held !== undefined);
  const here = whereWebDrains(["lb-2", "lb-3"]);
  const file: LeasedAddress = {
    ...held,
    placement: { kind: "unplaced" },
    sentTo: [agentName("lb-1"), agentName("lb-2")],
  };
  const judged = judgeImport(here, [file]);
  assert.ok(judged.kind === "allowed");
  const { placement } = here.leases.get(held.address) ?? file;
  const sentTo = ["lb-1", "lb-2", "lb-3"].map(agentName);
  assert.deepEqual(judged.leases, [{ ...file, placement, sentTo }]);
});

test("an address that rests is taken, and what is here already is left as it is", () => {
  assert.ok(held !== undefined);
  const resting: LeasedAddress = {
    ...held,
    address: address("192.0.2.105"),
    owners: [],
    lastClaim: other.id,
    state: { kind: "quarantined", untilMs: 9_000_000 },
  };
  const leases = new Map([...world.leases, [resting.address, resting]]);
  const judged = judgeImport({ ...world, leases }, [held, lease("192.0.2.105", "new")]);
  assert.ok(judged.kind === "allowed");
  assert.deepEqual(judged.will, ["192.0.2.105: default/new"]);
  assert.deepEqual(judged.did, ["1 of 2 leases came in; the others were here already"]);
});

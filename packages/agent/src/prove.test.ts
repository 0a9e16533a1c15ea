// What is proved of a plan, and that looking again at the same costs nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { laneAnchor } from "@fairlead/render";
import { acceptedPlan, agentName, address, laneOf, listenerOf, vipOf } from "@fairlead/testkit";

import { NOTHING_APPLIED } from "./applied.ts";
import { createProver, type ProofInput, proveAll } from "./prove.ts";
import { servedListeners } from "./served-listeners.ts";

const LANE = laneOf({ routerId: 51, order: ["a=192.0.2.11", "b=192.0.2.12"] });
const PLAN = acceptedPlan("a", [LANE, vipOf("192.0.2.100", LANE)]);

function look(change: Partial<ProofInput> = {}): ProofInput {
  return {
    agent: agentName("a"),
    wanted: PLAN,
    coming: [undefined, undefined],
    applied: NOTHING_APPLIED,
    observed: {
      kernel: { links: [], addresses: [] },
      generation: undefined,
      udpGeneration: undefined,
      keepalivedAlive: true,
    },
    outlook: { seen: new Map() },
    ledger: [],
    ...change,
  };
}

test("a look that sees what the last one saw proves the very same", () => {
  const prove = createProver();
  const input = look();
  assert.equal(prove({ ...input }), prove({ ...input }));
});

test("a reload for one listener leaves the proof of every other as it was", () => {
  const listeners = ["192.0.2.100:80/tcp", "192.0.2.100:81/tcp"].flatMap((at) =>
    listenerOf(at, []),
  );
  const wanted = acceptedPlan("a", [LANE, vipOf("192.0.2.100", LANE), ...listeners]);
  const served = new Map(servedListeners(wanted).map((one) => [one.listener.name, one]));
  const prove = createProver();
  const serving = (generation: string): ProofInput => {
    const input = look({ wanted });
    const applied = { ...NOTHING_APPLIED, generation, listeners: served };
    return { ...input, applied, observed: { ...input.observed, generation } };
  };
  const { resources } = prove(serving("1"));
  assert.equal(resources.get(listeners[0]?.name ?? LANE.name)?.step, "serving");
  assert.equal(prove(serving("2")).resources, resources);
});

test("a lane is held by its anchor or any of its addresses, where its link is up", () => {
  const applied = { ...NOTHING_APPLIED, lanes: new Map([[LANE.name, PLAN.revision]]) };
  const stateOn = (up: boolean, at: string | undefined, keepalivedAlive = true): unknown => {
    const link = { name: LANE.link, mac: "02:00:00:00:00:01", up, primary: true, prefixes: [] };
    const here = { address: address(at ?? "192.0.2.11"), prefixLength: 32, link: LANE.link };
    const kernel = { links: [link], addresses: [here] };
    const { observed } = look();
    const { lanes } = proveAll(
      look({ applied, observed: { ...observed, keepalivedAlive, kernel } }),
    );
    return lanes.map(({ state }) => state);
  };
  assert.deepEqual(stateOn(true, undefined), ["successor"]);
  assert.deepEqual(stateOn(true, "192.0.2.100"), ["holder"]);
  assert.deepEqual(stateOn(true, laneAnchor(LANE).address), ["holder"]);
  assert.deepEqual(stateOn(false, "192.0.2.100"), ["fault"]);
  assert.deepEqual(stateOn(true, "192.0.2.100", false), ["absent"]);
});

test("a lane that a dead nginx keeps away is at fault, and stands by for nobody's drain", () => {
  const alone = laneOf({ routerId: 52, order: ["a=192.0.2.11"] });
  const lanes = [LANE, alone];
  const link = { name: LANE.link, mac: "02:00:00:00:00:01", up: true, primary: true, prefixes: [] };
  const statesOn = (down: Partial<ProofInput["observed"]>, servesUdp = false): unknown => {
    const wanted = acceptedPlan("a", lanes);
    const applied = {
      ...NOTHING_APPLIED,
      lanes: new Map(lanes.map(({ name }) => [name, PLAN.revision])),
      held: new Map(lanes.map((lane) => [lane.name, { lane, vips: [], servesUdp }])),
    };
    const kernel = { links: [link], addresses: [] };
    const observed = { ...look().observed, kernel, ...down };
    const input = look({ wanted, applied, observed });
    return proveAll(input).lanes.map(({ state }) => state);
  };
  assert.deepEqual(statesOn({}), ["successor", "successor"]);
  assert.deepEqual(statesOn({ isNginxDown: true }), ["fault", "successor"]);
  assert.deepEqual(statesOn({ isNginxUdpDown: true }), ["successor", "successor"]);
  assert.deepEqual(statesOn({ isNginxUdpDown: true }, true), ["fault", "successor"]);
});

test("each part that changes is proved anew", () => {
  const input = look();
  const vip = { address: address("192.0.2.100"), prefixLength: 32, link: LANE.link };
  const held = { ...input.observed, kernel: { links: [], addresses: [vip] } };
  const changes: readonly Partial<ProofInput>[] = [
    { wanted: acceptedPlan("a", [LANE]) },
    { coming: [acceptedPlan("a", [LANE, vipOf("192.0.2.101", LANE)]), undefined] },
    { coming: [undefined, acceptedPlan("a", [LANE, vipOf("192.0.2.101", LANE)])] },
    { applied: { ...NOTHING_APPLIED, lanes: new Map([[LANE.name, PLAN.revision]]) } },
    { observed: held },
    { observed: { ...held, isNginxDown: true } },
    { outlook: { seen: new Map([[vip.address, { mac: "02:00:00:00:00:02" }]]) } },
    { ledger: [{ address: address("192.0.2.102"), link: LANE.link, foreign: false }] },
  ];
  const proveOn = createProver();
  for (const change of changes) {
    // Whatever was proved before, it is what is proved of the parts of now.
    assert.deepEqual(proveOn({ ...input, ...change }), proveAll({ ...input, ...change }));
    const prove = createProver();
    const before = prove(input);
    const after = prove({ ...input, ...change });
    assert.notDeepEqual(after, before, Object.keys(change).join());
    assert.deepEqual(after, proveAll({ ...input, ...change }));
  }
});

test("what is seen of other hosts is proved anew for these addresses alone", () => {
  const vips = ["192.0.2.100", "192.0.2.101", "192.0.2.102"].map((text) => vipOf(text, LANE));
  const wanted = acceptedPlan("a", [LANE, ...vips]);
  const seeing = (macs: Readonly<Record<string, string>>): ProofInput => {
    const seen = Object.entries(macs).map(([text, mac]) => [address(text), { mac }] as const);
    return look({ wanted, outlook: { seen: new Map(seen) } });
  };
  // All looks are at the very same host.
  const { observed } = look();
  const applied = NOTHING_APPLIED;
  const ledger = look().ledger;
  const looks = [
    {},
    { "192.0.2.100": "02:00:00:00:00:02", "192.0.2.101": "02:00:00:00:00:02" },
    { "192.0.2.100": "02:00:00:00:00:02", "192.0.2.101": "", "192.0.2.109": "" },
    { "192.0.2.101": "", "192.0.2.102": "02:00:00:00:00:03" },
    {},
  ].map((macs) => ({ ...seeing(macs), observed, applied, ledger }));
  const prove = createProver();
  for (const input of looks) assert.deepEqual(prove(input), proveAll(input));
  const [, two, three] = looks.map((input) => prove(input).resources);
  const nameOf = (at: number): (typeof vips)[number]["name"] => vips[at]?.name ?? LANE.name;
  assert.equal(three?.get(nameOf(0)), two?.get(nameOf(0)), "it is the same object");
  assert.notEqual(three?.get(nameOf(1)), two?.get(nameOf(1)));
});

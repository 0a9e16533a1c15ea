// Lanes handed to a keepalived that takes some and refuses others: what is held afterwards, and
// whose the words are. keepalived is played by hand and refuses by router id.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { LaneResource, ResourceName, VipResource } from "@fairlead/model";
import { laneOf, vipOf } from "@fairlead/testkit";

import type { HeldLane } from "./applied.ts";
import { type HoldOptions, type HoldResult, expectLanes, holdLanes } from "./hold-lanes.ts";

const ORDER = ["a=192.0.2.11", "b=192.0.2.12"];

function lanesOf(...ids: readonly number[]): readonly LaneResource[] {
  return ids.map((routerId) => laneOf({ routerId, order: ORDER }));
}

/** VIP 192.0.2.<last number> in each lane. */
function vipsIn(...places: readonly (readonly [LaneResource | undefined, number])[]) {
  return places.flatMap(([lane, last]) =>
    lane === undefined ? [] : [vipOf(`192.0.2.${last}`, lane)],
  );
}

interface Stage {
  readonly options: HoldOptions;
  /** Every file that was offered: `51[100 101] 52[]`. */
  readonly offered: readonly string[];
  /** The one in force. */
  text(): string;
}

function stageOf({ refuses = [] as readonly string[], alive = true }): Stage {
  const offered: string[] = [];
  let inForce = "";
  const options: HoldOptions = {
    keepalived: {
      apply: (text) => {
        offered.push(text);
        const bad = refuses.find((word) => text.includes(word));
        if (bad !== undefined) {
          const detail = `keepalived: (Line 7) ${bad} is bad`;
          return Promise.resolve({ kind: "refused", remark: { reason: "ConfigRejected", detail } });
        }
        const reloaded = text !== inForce;
        inForce = text;
        return Promise.resolve({ kind: "applied", reloaded });
      },
      alive: () => Promise.resolve(alive),
    },
    renderKeepalived: (lanes, vips, udpLanes) => {
      return { text: textOf(lanes, vips, udpLanes), vipCount: vips.length };
    },
  };
  return { options, offered, text: () => inForce };
}

function textOf(
  lanes: readonly LaneResource[],
  vips: readonly VipResource[],
  udpLanes: ReadonlySet<ResourceName>,
): string {
  return lanes
    .map(({ routerId, name }) => {
      const here = vips.filter(({ carrier }) => "resource" in carrier && carrier.resource === name);
      const list = here.map(({ address }) => address.split(".")[3]).join(" ");
      return `${routerId}${udpLanes.has(name) ? "udp" : ""}[${list}]`;
    })
    .join(" ");
}

async function hold(
  { options }: Stage,
  lanes: readonly LaneResource[],
  vips: readonly VipResource[],
  before: ReadonlyMap<ResourceName, HeldLane> = new Map(),
): Promise<HoldResult> {
  const wanted = {
    lanes,
    vips,
    udpLanes: new Set<ResourceName>(),
    rereads: false,
    suspects: new Map(),
  };
  return await holdLanes(options, wanted, before);
}

function wordsOf({ refused }: HoldResult): readonly string[] {
  return [...refused].map(([name, { detail }]) => `${name}: ${detail}`);
}

test("one refused lane of many keeps none of the others", async () => {
  const stage = stageOf({ refuses: ["54["], alive: false });
  const lanes = lanesOf(51, 52, 53, 54, 55, 56, 57, 58);
  const result = await hold(stage, lanes, vipsIn([lanes[0], 100], [lanes[3], 101]));
  assert.equal(stage.text(), "51[100] 52[] 53[] 55[] 56[] 57[] 58[]");
  assert.deepEqual(wordsOf(result), ["lane/192.0.2.0/24#54: keepalived: (Line 7) 54[ is bad"]);
  assert.equal(result.reloaded, true);
});

test("what keepalived is told to expect is what it is handed", async () => {
  const stage = stageOf({});
  const expected: string[] = [];
  const keepalived = { ...stage.options.keepalived, expect: (text: string) => expected.push(text) };
  const lanes = lanesOf(51, 52);
  const first = await hold(stage, lanes, vipsIn([lanes[0], 100]));
  const vips = vipsIn([lanes[0], 100], [lanes[1], 101]);
  const wanted = {
    lanes,
    vips,
    udpLanes: new Set<ResourceName>(),
    rereads: false,
    suspects: new Map(),
  };
  expectLanes({ ...stage.options, keepalived }, wanted, first.held);
  await holdLanes(stage.options, wanted, first.held);
  assert.deepEqual(expected, ["51[100] 52[101]"]);
  assert.equal(stage.text(), "51[100] 52[101]");
});

test("what nothing is wrong with is offered once", async () => {
  const stage = stageOf({});
  const lanes = lanesOf(51, 52);
  const result = await hold(stage, lanes, vipsIn([lanes[0], 100]));
  assert.deepEqual(stage.offered, ["51[100] 52[]"]);
  assert.deepEqual(
    [...result.held.keys()],
    lanes.map(({ name }) => name),
  );
});

test("a lane that was held and is refused now stays as it was, with its VIPs", async () => {
  const lanes = lanesOf(51, 52);
  const stage = stageOf({ refuses: ["51[100 102"] });
  const first = await hold(stage, lanes, vipsIn([lanes[0], 100], [lanes[1], 101]));
  const vips = vipsIn([lanes[0], 100], [lanes[0], 102], [lanes[1], 101], [lanes[1], 103]);
  const second = await hold(stage, lanes, vips, first.held);
  assert.equal(stage.text(), "51[100] 52[101 103]");
  assert.equal(wordsOf(second).length, 1);
});

test("a lane that is refused with its first listener over UDP follows no other file", async () => {
  const lanes = lanesOf(51, 52);
  const stage = stageOf({ refuses: ["51udp"] });
  const first = await hold(stage, lanes, []);
  const udpLanes = new Set(lanes.map(({ name }) => name));
  const wanted = { lanes, vips: [], udpLanes, rereads: false, suspects: new Map() };
  const second = await holdLanes(stage.options, wanted, first.held);
  assert.equal(stage.text(), "51[] 52udp[]");
  assert.equal(wordsOf(second).length, 1);
  await hold(stage, lanes, [], second.held);
  assert.equal(stage.text(), "51[] 52[]", "with its last one it goes back");
});

test("the search for a new lane that is bad begins from those that are held as they are wanted", async () => {
  const stage = stageOf({ refuses: ["252["] });
  const ids = Array.from({ length: 100 }, (_, index) => 100 + index);
  const first = await hold(stage, lanesOf(...ids), []);
  const lanes = lanesOf(250, 251, ...ids, 252, 253);
  const second = await hold(stage, lanes, [], first.held);
  assert.equal(second.held.size, lanes.length - 1);
  assert.equal(wordsOf(second).length, 1);
  assert.ok(stage.offered.length <= 6, `${stage.offered.length} files`);
});

test("a lane that is not wanted any more goes, though no new one is taken", async () => {
  const stage = stageOf({ refuses: ["53[", "52[102"] });
  const [a, b, c, d] = [...lanesOf(51, 52, 53, 54)];
  assert.ok(a && b && c && d);
  const first = await hold(stage, [a, d], []);
  await hold(stage, [a, c], [], first.held);
  assert.equal(stage.text(), "51[]");
  const other = await hold(stage, [b, d], vipsIn([b, 101]));
  await hold(stage, [b], vipsIn([b, 102]), other.held);
  assert.equal(stage.text(), "52[101]", "also where none is as it is wanted");
});

test("a VIP on its way into a refused lane stays where it is, and is never in two", async () => {
  const lanes = lanesOf(51, 52);
  const stage = stageOf({ refuses: ["52[100"] });
  const first = await hold(stage, lanes, vipsIn([lanes[0], 100], [lanes[0], 101]));
  const moved = vipsIn([lanes[1], 100], [lanes[0], 101]);
  const second = await hold(stage, lanes, moved, first.held);
  assert.equal(stage.text(), "51[101 100] 52[]");
  assert.equal(wordsOf(second).length, 1);
  const third = await hold(stageOf({}), lanes, moved, second.held);
  assert.deepEqual(
    [...third.held.values()].map(({ vips }) => vips.map(({ address }) => address)),
    [["192.0.2.101"], ["192.0.2.100"]],
  );
});

test("a living keepalived of whose file nothing is known keeps it as a whole", async () => {
  const stage = stageOf({ refuses: ["52["] });
  const lanes = lanesOf(51, 52, 53);
  const result = await hold(stage, lanes, []);
  assert.equal(stage.offered.length, 1, "no part is tried, which would take the rest away");
  assert.equal(wordsOf(result).length, 3);
});

test("a search has an end where keepalived refuses everything", async () => {
  const stage = stageOf({ refuses: ["["], alive: false });
  const ids = Array.from({ length: 100 }, (_, index) => 100 + index);
  const result = await hold(stage, lanesOf(...ids), []);
  assert.equal(stage.offered.length, 16);
  assert.equal(result.refused.size, 100);
});

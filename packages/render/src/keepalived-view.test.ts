// Decisions about keepalived.conf, one by one: priorities, peers, anchors, order, and plans that
// break their own rules.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionFailure, type LaneResource, type VipResource } from "@fairlead/model";
import { address, agentName, device, laneOf, vipOf } from "@fairlead/testkit";
import { countVips, createTemplates, renderKeepalived } from "./index.ts";
import { type InstanceView, keepalivedView } from "./keepalived-view.ts";

const ORDER = ["lb-1=192.0.2.11", "lb-2=192.0.2.12", "lb-3=192.0.2.13"];
const paths = { trackDir: "/run/track" };

function viewOf(
  agent: string,
  lane: LaneResource,
  vips: readonly VipResource[] = [],
): InstanceView {
  const { instances } = keepalivedView({ agent: agentName(agent), lanes: [lane], vips, paths });
  const [instance] = instances;
  assert.ok(instance);
  return instance;
}

const NEW = { preempt: true };
const MOVING = { preempt: true, intentId: "move-1" };
const HELD = { preempt: false };
const places = [
  { agent: "lb-1", lane: NEW, begins: "MASTER", priority: 255, flags: [] },
  { agent: "lb-2", lane: NEW, begins: "BACKUP", priority: 220, flags: ["nopreempt"] },
  { agent: "lb-3", lane: NEW, begins: "BACKUP", priority: 190, flags: ["nopreempt"] },
  { agent: "lb-1", lane: MOVING, begins: "BACKUP", priority: 250, flags: [] },
  { agent: "lb-2", lane: MOVING, begins: "BACKUP", priority: 220, flags: ["nopreempt"] },
  { agent: "lb-1", lane: HELD, begins: "BACKUP", priority: 250, flags: ["nopreempt"] },
];
for (const { agent, lane, begins, priority, flags } of places) {
  test(`${agent} in a lane of ${JSON.stringify(lane)} begins as ${begins} ${priority}`, () => {
    const view = viewOf(agent, { ...laneOf({ routerId: 51, order: ORDER }), ...lane });
    assert.deepEqual([view.state, view.priority, view.flags], [begins, priority, flags]);
  });
}

test("peers are the others, sorted, and never this agent", () => {
  const view = viewOf("lb-2", laneOf({ routerId: 51, order: ORDER.toReversed() }));
  assert.equal(view.source, "192.0.2.12");
  assert.deepEqual(view.peers, ["192.0.2.11", "192.0.2.13"]);
});

test("a lane of one agent speaks to its own anchor", () => {
  const v4 = viewOf("lb-1", laneOf({ routerId: 51, order: ["lb-1=192.0.2.11"] }));
  assert.deepEqual(v4.peers, ["169.254.255.51"]);
  const v6 = viewOf("lb-1", laneOf({ routerId: 51, order: ["lb-1=2001:db8::11"] }));
  assert.deepEqual(v6.peers, ["fe80::a9fe:ff33"]);
});

test("the data path takes a lane off its host only where another one can hold it", () => {
  const agent = agentName("lb-1");
  const alone = laneOf({ routerId: 51, order: ["lb-1=192.0.2.11"] });
  const shared = laneOf({ routerId: 52, order: ORDER });
  const both = keepalivedView({ agent, lanes: [alone, shared], vips: [], paths });
  assert.deepEqual(
    both.instances.map(({ tracked }) => tracked),
    [["lane-192.0.2.0-24-51"], ["data-path", "lane-192.0.2.0-24-52"]],
  );
  assert.deepEqual(both.commonTrackFiles, [{ name: "data-path", path: "/run/track/data-path" }]);
  assert.deepEqual(keepalivedView({ agent, lanes: [alone], vips: [], paths }).commonTrackFiles, []);
});

test("the data path over UDP takes only lanes that have listeners there", () => {
  const agent = agentName("lb-1");
  const lanes = [51, 52].map((routerId) => laneOf({ routerId, order: ORDER }));
  const alone = laneOf({ routerId: 53, order: ["lb-1=192.0.2.11"] });
  const udpLanes = new Set([lanes[1]?.name, alone.name].flatMap((name) => name ?? []));
  const view = keepalivedView({ agent, lanes: [...lanes, alone], vips: [], udpLanes, paths });
  assert.deepEqual(
    view.instances.map(({ tracked }) => tracked),
    [
      ["data-path", "lane-192.0.2.0-24-51"],
      ["data-path", "data-path-udp", "lane-192.0.2.0-24-52"],
      ["lane-192.0.2.0-24-53"],
    ],
  );
  assert.deepEqual(view.commonTrackFiles, [
    { name: "data-path", path: "/run/track/data-path" },
    { name: "data-path-udp", path: "/run/track/data-path-udp" },
  ]);
});

test("keepalived checks files itself, but not where its checker cannot start", () => {
  const input = { agent: agentName("lb-1"), lanes: [], vips: [], paths };
  assert.deepEqual(keepalivedView(input).globalFlags, ["reload_check_config"]);
  assert.deepEqual(keepalivedView({ ...input, checksOnReload: false }).globalFlags, []);
});

const intervals = [
  { ms: 30, seconds: "0.03" },
  { ms: 100, seconds: "0.10" },
  { ms: 104, seconds: "0.10" },
  { ms: 1000, seconds: "1.00" },
  { ms: 10_000, seconds: "10.00" },
];
for (const { ms, seconds } of intervals) {
  test(`adverts every ${ms} ms are written as ${seconds} s`, () => {
    const lane = laneOf({ routerId: 51, order: ORDER, advertIntervalMs: ms });
    assert.equal(viewOf("lb-1", lane).advertIntervalSeconds, seconds);
  });
}

test("VIPs of both families stand in order, IPv4 first, and numbers are not text", () => {
  const lane = laneOf({ routerId: 51, order: ORDER });
  const vips = ["2001:db8::1", "192.0.2.100", "192.0.2.20"].map((text) => vipOf(text, lane));
  assert.deepEqual(viewOf("lb-1", lane, vips).vips, [
    "192.0.2.20/32",
    "192.0.2.100/32",
    "2001:db8::1/128",
  ]);
});

test("a VIP on a link is not keepalived's", () => {
  const lane = laneOf({ routerId: 51, order: ORDER });
  const carrier = { kind: "link", link: device("eth0"), adopts: false } as const;
  assert.deepEqual(viewOf("lb-1", lane, [{ ...vipOf("192.0.2.9", lane), carrier }]).vips, []);
});

const lane = laneOf({ routerId: 51, order: ORDER });
const vip = vipOf("192.0.2.100", lane);
const bugs: readonly { readonly name: string; readonly run: () => unknown }[] = [
  { name: "an agent that is not in the order", run: () => viewOf("lb-9", lane) },
  { name: "an address twice", run: () => viewOf("lb-1", lane, [vip, vip]) },
  {
    name: "a VIP of an unknown lane",
    run: () => viewOf("lb-1", laneOf({ routerId: 52, order: ORDER }), [vip]),
  },
  {
    name: "four agents",
    run: () => viewOf("lb-4", laneOf({ routerId: 51, order: [...ORDER, "lb-4=192.0.2.14"] })),
  },
  {
    name: "peers of two families",
    run: () => viewOf("lb-1", laneOf({ routerId: 51, order: ["lb-1=192.0.2.1", "lb-2=::2"] })),
  },
  { name: "router id 0", run: () => viewOf("lb-1", laneOf({ routerId: 0, order: ORDER })) },
  {
    name: "adverts every 20 ms",
    run: () => viewOf("lb-1", laneOf({ routerId: 51, order: ORDER, advertIntervalMs: 20 })),
  },
];
for (const { name, run } of bugs) {
  test(`a plan with ${name} is a bug`, () => assert.throws(run, AssertionFailure));
}

test("a segment that is no network never reaches the file", () => {
  const strange = laneOf({ routerId: 51, order: ORDER, segment: "a;\n}" });
  assert.throws(
    () =>
      renderKeepalived({
        agent: agentName("lb-1"),
        lanes: [strange],
        vips: [],
        paths,
        templates: createTemplates(),
      }),
    AssertionFailure,
  );
});

test("the result names anchors and track files, and a cut file is found by counting", () => {
  const vips = ["192.0.2.100", "192.0.2.101", "2001:db8::1"].map((text) => vipOf(text, lane));
  const agent = agentName("lb-1");
  const templates = createTemplates();
  const result = renderKeepalived({ agent, lanes: [lane], vips, paths, templates });
  assert.deepEqual(result.anchors, [
    { lane: lane.name, address: address("169.254.255.51"), prefixLength: 32, link: "eth0" },
  ]);
  assert.deepEqual(result.trackFiles, [
    { lane: lane.name, path: "/run/track/lane-192.0.2.0-24-51" },
  ]);
  assert.equal(result.vipCount, 3);
  assert.equal(countVips(result.text), 3);
  assert.equal(countVips(result.text.slice(0, result.text.indexOf("2001:db8::1"))), 2);
  assert.equal(countVips(""), 0);
});

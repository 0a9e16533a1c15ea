// How soon the next look is due, after looks that found something and looks that did not.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type AgentReport, parseAgentName, present } from "@fairlead/model";
import { laneOf } from "@fairlead/testkit";

import { createLookWait, type LookWait } from "./look-wait.ts";

const REPORT: AgentReport = {
  agent: present(parseAgentName("lb1"), "an agent's name"),
  sequence: 1,
  epoch: 1,
  links: [],
  resources: new Map(),
  lanes: [],
  dataPlane: { generationsAlive: 1, generationsBytes: 0, keepalivedAlive: true, reloads: 0 },
  remarks: [],
};

const LANE = laneOf({ routerId: 60, order: ["lb1=192.0.2.11", "lb2=192.0.2.12"] });

/** Looks as often as they are due, all alike, until then. */
function looksUntil(untilMs: number, report = REPORT): LookWait {
  const wait = createLookWait();
  for (let nowMs = 0; nowMs <= untilMs; nowMs += wait.waitMs(nowMs)) {
    wait.due();
    wait.looked(report, nowMs);
  }
  return wait;
}

test("a host on which nothing happens is looked at each second for ten, then each two", () => {
  assert.equal(looksUntil(9_000).waitMs(9_000), 1000);
  assert.equal(looksUntil(60_000).waitMs(60_000), 2000);
});

test("what happens brings the looks of each second back", () => {
  const wait = looksUntil(60_000);
  wait.looked(REPORT, 60_500);
  assert.equal(wait.waitMs(60_500), 1000);
  wait.due();
  wait.looked(REPORT, 70_500);
  assert.equal(wait.waitMs(70_500), 2000);
});

test("so does a look that finds something else than the one before", () => {
  const wait = looksUntil(60_000);
  wait.due();
  wait.looked({ ...REPORT, resources: new Map() }, 60_500);
  assert.equal(wait.waitMs(60_500), 1000);
});

test("a host with something the matter is looked at each second until it has passed", () => {
  const troubled: AgentReport[] = [
    { ...REPORT, remarks: [{ reason: "DataPlaneDown", detail: "keepalived is not running" }] },
    { ...REPORT, dataPlane: { ...REPORT.dataPlane, generationsAlive: 2 } },
    { ...REPORT, hearing: [{ lane: LANE.name, state: "unheard", holder: REPORT.agent }] },
  ];
  for (const report of troubled) assert.equal(looksUntil(60_000, report).waitMs(60_000), 1000);
});

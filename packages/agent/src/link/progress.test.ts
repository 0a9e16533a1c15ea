// How far an update has come, by what a report proves.

import assert from "node:assert";
import { test } from "node:test";
import type { AgentReport, ResourceReport, Step } from "@fairlead/model";
import { acceptedPlan, agentName, laneOf, listenerOf, vipOf } from "@fairlead/testkit";

import { progressOf } from "./progress.ts";

const LANE = laneOf({ routerId: 51, order: ["lb2=192.0.2.12", "lb1=192.0.2.11"] });
const VIP = vipOf("192.0.2.100", LANE);
const [LISTENER, MEMBERS] = listenerOf("192.0.2.100:80/tcp", ["10.0.0.1:8080"]);
const PLAN = acceptedPlan("lb1", [LANE, VIP, LISTENER, MEMBERS]);

/** A report of a finished pass: all serving, but for what is given. */
function reportWith(
  change: Partial<Record<"lane" | "vip" | "listener" | "members", Partial<ResourceReport>>>,
): AgentReport {
  const resources = [LANE, VIP, LISTENER, MEMBERS].map((one) => {
    const revision = PLAN.revisions.get(one.name) ?? PLAN.revision;
    const served: ResourceReport = { name: one.name, revision, step: "serving", evidence: [] };
    return [one.name, { ...served, ...change[one.kind] }] as const;
  });
  return {
    agent: agentName("lb1"),
    sequence: 1,
    epoch: 1,
    planRevision: PLAN.revision,
    links: [],
    resources: new Map(resources),
    lanes: [],
    dataPlane: { generationsAlive: 1, keepalivedAlive: true, reloads: 1 },
    remarks: [],
  };
}

const steps: readonly {
  readonly name: string;
  readonly report: AgentReport;
  readonly step: Step | undefined;
}[] = [
  { name: "everything serves", report: reportWith({}), step: "serving" },
  {
    name: "a successor has its VIP handed over and not in the kernel",
    report: reportWith({ vip: { step: "applied" } }),
    step: "serving",
  },
  {
    name: "nginx does not answer with the new generation yet",
    report: reportWith({ listener: { step: "applied" } }),
    step: "applied",
  },
  {
    name: "older members still serve",
    report: reportWith({ members: { revision: PLAN.revision } }),
    step: "applied",
  },
  {
    name: "the pass was for the plan before",
    report: { ...reportWith({}), planRevision: acceptedPlan("lb1", [LANE]).revision },
    step: undefined,
  },
];

for (const { name, report, step } of steps) {
  test(`${step ?? "nothing"} when ${name}`, () => {
    assert.equal(progressOf(PLAN, report)?.step, step);
  });
}

test("what a daemon refused is named and does not hold the rest back", () => {
  const revision = PLAN.revisions.get(LISTENER.name) ?? PLAN.revision;
  const problem = { reason: "PortTaken" as const, detail: "sshd has it", revision };
  const report = reportWith({ listener: { step: "received", problem } });
  assert.deepEqual(progressOf(PLAN, report), {
    step: "serving",
    nacks: [{ name: LISTENER.name, problem }],
  });
});

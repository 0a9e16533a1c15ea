// Agents' reports for property tests: anything that the model's types allow, small enough to read
// when a property fails. Given nothing; the seed is the test's.

import {
  type AgentReport,
  type Evidence,
  type HeardRouter,
  type LaneHearing,
  type LaneReport,
  type Link,
  present,
  parseAgentName,
  REASONS,
  type Reason,
  type Remark,
  type ResourceReport,
} from "@fairlead/model";
import fc from "fast-check";

import {
  anyAddress,
  anyAgent,
  anyId,
  anyLane,
  anyLink,
  anyMac,
  anyResource,
  anyRevision,
} from "./plan-arbitraries.ts";

/** Remarks; their words hold what a daemon may say, but for control characters. */
export const anyRemark: fc.Arbitrary<Remark> = fc.record({
  reason: fc.constantFrom(...(Object.keys(REASONS) as Reason[])),
  detail: fc.stringMatching(/^[ -~äß→]{0,40}$/),
});

const anyEvidence: fc.Arbitrary<Evidence> = fc.oneof(
  anyLink.map((link) => ({ kind: "kernel-address" as const, link })),
  fc.constant({ kind: "generation" as const }),
  fc.record({ kind: fc.constant("neighbour" as const), mac: anyMac, seenBy: anyAgent }),
);

/** What an agent proves of one resource. */
export const anyResourceReport: fc.Arbitrary<ResourceReport> = fc.record(
  {
    name: anyResource.map((resource) => resource.name),
    revision: anyRevision,
    step: fc.constantFrom("received", "validated", "applied", "serving"),
    evidence: fc.array(anyEvidence, { maxLength: 3 }),
    problem: fc
      .tuple(anyRemark, anyRevision)
      .map(([remark, revision]) => ({ ...remark, revision })),
  },
  { requiredKeys: ["name", "revision", "step", "evidence"] },
);

/** Links with prefixes of both families. */
export const anyHostLink: fc.Arbitrary<Link> = fc.record({
  name: anyLink,
  mac: anyMac,
  up: fc.boolean(),
  primary: fc.boolean(),
  prefixes: fc.array(fc.record({ address: anyAddress, length: fc.integer({ min: 0, max: 32 }) }), {
    maxLength: 3,
  }),
});

const anyLaneReport: fc.Arbitrary<LaneReport> = fc.record(
  {
    name: anyLane.map((lane) => lane.name),
    state: fc.constantFrom("holder", "successor", "fault", "absent"),
    order: anyLane.map((lane) => lane.order),
    silenceMs: fc.constantFrom(0, 342, 60_000),
  },
  { requiredKeys: ["name", "state"] },
);

const anyHearing: fc.Arbitrary<LaneHearing> = fc.record(
  {
    lane: anyLane.map((lane) => lane.name),
    state: fc.constantFrom("heard", "unheard", "unable"),
    holder: anyAgent,
  },
  { requiredKeys: ["lane", "state"] },
);

const anyHeardRouter: fc.Arbitrary<HeardRouter> = fc.record({
  routerId: fc.integer({ min: 1, max: 255 }),
  source: anyAddress,
  link: anyLink,
});

const anyCount = fc.integer({ min: 0, max: 2 ** 31 });

/** Whole reports of the agent lb1. */
export const anyReport: fc.Arbitrary<AgentReport> = fc.record(
  {
    agent: fc.constant(present(parseAgentName("lb1"), "a name")),
    sequence: anyCount,
    epoch: anyCount,
    planRevision: anyRevision,
    links: fc.array(anyHostLink, { maxLength: 2 }),
    resources: fc
      .array(anyResourceReport, { maxLength: 6 })
      .map((all) => new Map(all.map((one) => [one.name, one]))),
    lanes: fc.array(anyLaneReport, { maxLength: 3 }),
    dataPlane: fc.record(
      {
        generation: anyId,
        udpGeneration: anyId,
        generationsAlive: anyCount,
        generationsBytes: fc.constantFrom(1, 16_777_216),
        keepalivedAlive: fc.boolean(),
        reloads: anyCount,
      },
      { requiredKeys: ["generationsAlive", "keepalivedAlive", "reloads"] },
    ),
    remarks: fc.array(anyRemark, { maxLength: 2 }),
    heardRouters: fc.array(anyHeardRouter, { minLength: 1, maxLength: 2 }),
    hearing: fc.array(anyHearing, { minLength: 1, maxLength: 2 }),
  },
  {
    requiredKeys: [
      "agent",
      "sequence",
      "epoch",
      "links",
      "resources",
      "lanes",
      "dataPlane",
      "remarks",
    ],
  },
);

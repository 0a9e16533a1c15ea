// An agent's loop on a fake host, for its tests: a segment on the fake clock, an agent that is
// started, or started again on the host it left, and its last report. Real steps and real
// rendering; only the host's ports are fakes.

import { type AcceptedPlan, type Converge, createConverge } from "@fairlead/agent";
import { type AgentReport, present } from "@fairlead/model";
import { createFakeClock, createLogger, type FakeClock } from "@fairlead/runtime";

import { agentName } from "../node-plan-builders.ts";
import { renderingHost } from "../scenario/rendering-host.ts";
import type { FakeFailures } from "./fake-failures.ts";
import { createFakeHost, type FakeHost } from "./fake-host.ts";
import { createFakeSegment, type FakeSegment } from "./fake-segment.ts";

/** An agent that runs on a fake host. */
export interface FakeAgent {
  readonly host: FakeHost;
  readonly loop: Converge;
  /** What this life reported first. */
  first(): AgentReport;
  /** What it reported last. */
  last(): AgentReport;
  /** Plans that it said are in force, in that order. */
  inForce(): readonly AcceptedPlan[];
}

/** A segment with nobody on it, and its time. */
export interface FakeWorld {
  readonly clock: FakeClock;
  readonly segment: FakeSegment;
}

/** Makes an empty world. */
export function fakeWorld(): FakeWorld {
  const clock = createFakeClock();
  return { clock, segment: createFakeSegment({ clock }) };
}

/** Starts an agent on a new host a, b or c, with 192.0.2.11 and up. */
export async function startFakeAgent(
  { clock, segment }: FakeWorld,
  name: string,
  failures?: FakeFailures,
): Promise<FakeAgent> {
  const number = 11 + "abc".indexOf(name);
  const host = createFakeHost({
    name,
    prefix: `192.0.2.${number}/24`,
    segment,
    clock,
    ...(failures === undefined ? {} : { failures }),
  });
  return await restartFakeAgent(clock, host);
}

/** Starts an agent on a host that may have a past. */
export async function restartFakeAgent(
  clock: FakeClock,
  host: FakeHost,
  nginx: FakeHost["nginx"] = host.nginx,
): Promise<FakeAgent> {
  const agent = agentName(host.name);
  let first: AgentReport | undefined;
  let report: AgentReport | undefined;
  const inForce: AcceptedPlan[] = [];
  const loop = createConverge({
    agent,
    clock,
    log: createLogger({ level: "silent", format: "json" }),
    planFile: host.planFile,
    link: {
      report: (next) => {
        first ??= next;
        report = next;
      },
    },
    random: () => 0.5,
    onApplied: (plan) => void inForce.push(plan),
    host: renderingHost(agent, {
      kernel: host.kernel,
      segment: host.segment,
      sight: host.sight,
      vrrp: host.vrrp,
      guard: host.guard.port,
      announcer: host.announcer,
      keepalived: host.keepalived,
      nginx,
      members: host.members,
      routes: host.memberTable.routes,
      nginxUdp: host.nginxUdp,
      downFiles: host.downFiles,
      portProbe: host.portProbe,
      ledger: host.ledger,
    }),
  });
  await loop.start();
  await clock.advance(10);
  return {
    host,
    loop,
    first: () => present(first, "a report was made"),
    last: () => present(report, "a report was made"),
    inForce: () => inForce,
  };
}

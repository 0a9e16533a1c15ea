// An agent's loop on a fake host, for its tests: a segment on the fake clock, an agent that is started
// or started again on the host it left, and its last report. Real planning of steps, real
// rendering; only the host's ports are fakes.

import assert from "node:assert/strict";

import type { AgentReport } from "@fairlead/model";
import { createTemplates, nginxRefusals, renderKeepalived, renderNginx } from "@fairlead/render";
import { createFakeClock, createLogger, type FakeClock } from "@fairlead/runtime";
import {
  agentName,
  createFakeHost,
  createFakeSegment,
  type FakeFailures,
  type FakeHost,
  type FakeSegment,
} from "@fairlead/testkit";

import { type Converge, createConverge } from "./converge.ts";
import { generationId } from "./generation-id.ts";

/** An agent that runs on a fake host. */
export interface FakeAgent {
  readonly host: FakeHost;
  readonly loop: Converge;
  /** What it reported last. */
  last(): AgentReport;
}

/** A segment with nobody on it, and its time. */
export interface FakeWorld {
  readonly clock: FakeClock;
  readonly segment: FakeSegment;
}

/** Makes an empty world. */
export function world(): FakeWorld {
  const clock = createFakeClock();
  return { clock, segment: createFakeSegment({ clock }) };
}

/** Starts an agent on a new host a, b or c, with 192.0.2.11 and up. */
export async function startAgent(
  { clock, segment }: FakeWorld,
  name: string,
  failures?: FakeFailures,
): Promise<FakeAgent> {
  const number = 11 + "abc".indexOf(name);
  const host = createFakeHost({
    name,
    prefix: `192.0.2.${number}/24`,
    segment,
    ...(failures === undefined ? {} : { failures }),
  });
  return await restartAgent(clock, host);
}

/** Starts an agent on a host that may have a past. */
export async function restartAgent(
  clock: FakeClock,
  host: FakeHost,
  nginx: FakeHost["nginx"] = host.nginx,
): Promise<FakeAgent> {
  const templates = createTemplates();
  const agent = agentName(host.name);
  let report: AgentReport | undefined;
  const loop = createConverge({
    agent,
    clock,
    log: createLogger({ level: "silent", format: "json" }),
    planFile: host.planFile,
    link: { report: (next) => void (report = next) },
    host: {
      ...host,
      kernel: host.kernel,
      keepalived: host.keepalived,
      nginx,
      portProbe: host.portProbe,
      ledger: host.ledger,
      nginxRefusals,
      generationOf: (listeners) => generationId(listeners, ""),
      renderKeepalived: (lanes, vips) =>
        renderKeepalived({ agent, lanes, vips, paths: { trackDir: "/t" }, templates }),
      renderNginx: (served, generation) =>
        renderNginx({
          listeners: served.map((entry) => entry.listener),
          memberSets: new Map(served.map((entry) => [entry.members.name, entry.members])),
          generation,
          templates,
          settings: {
            workerProcesses: 2,
            workerConnections: 1024,
            openFilesMax: 4096,
            shutdownTimeoutMs: 60_000,
            paths: { streamModule: "/m.so", pid: "/p", errorLog: "stderr", probeSocket: "/s" },
          },
        }).text,
    },
  });
  await loop.start();
  await clock.advance(10);
  return {
    host,
    loop,
    last: () => {
      assert(report !== undefined, "a report was made");
      return report;
    },
  };
}

// What a claim is told of its agents' plans: what they did not take of its own, and nothing of what
// is another's.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type AgentName, present, type Remark, type ResourceName } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import {
  makeAgents,
  makeClaim,
  makeCycleView,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";
import { createRevisions, LinkState } from "@fairlead/wire";

import type { SyncState } from "../../ports.ts";
import type { Outbox } from "../../sync/outbox.ts";
import { syncStateOf } from "../../sync/sync-state.ts";
import { wantedPlan } from "../../sync/wanted-plan.ts";
import { explain } from "./explain.ts";

const revisions = createRevisions();
const { revisionOf, planRevisionOf } = revisions;

const USED: Remark = { reason: "AddressInUse", detail: "52:54:00:12:34:56 answers for it" };
const TAKEN: Remark = { reason: "PortTaken", detail: "another process listens there" };

/** The link `Sent` of a claim of two that all agents hold; they did not take these parts. */
function sentOf(subject: string, refused: readonly (readonly [string, Remark])[]): string {
  const claims = [
    makeClaim("web", { createdAtMs: 1, wishes: ["192.0.2.100"] }),
    makeClaim("ill", { createdAtMs: 2, wishes: ["192.0.2.101"], ports: ["tcp/80", "tcp/443"] }),
  ];
  const world = makeWorld({ claims, agents: makeAgents(1) });
  const first = plan(world, { revisionOf });
  const proved = nextWorld(world, first, { agents: proveAll(world, first) });
  const made = plan(proved, { revisionOf });
  const syncState = (agent: AgentName): SyncState => {
    const nodePlan = present(made.nodePlans.get(agent), "it has a plan");
    const wanted = wantedPlan(nodePlan, { epoch: 1, unconfirmed: new Set(), revisions });
    const { entries, revision } = wanted;
    const problems = refused.map(([text, remark]) => {
      const name = text as ResourceName;
      const has = present(entries.get(name), `${text} is in the plan`);
      return [name, { revision: has, remark }] as const;
    });
    const outbox: Outbox = {
      wanted,
      stream: { epoch: 1, planRevision: revision, isAsking: false, nonce: 1 },
      held: { entries, revision },
      applied: revision,
      refused: new Map(),
      problems: new Map(problems),
    };
    return syncStateOf(outbox, planRevisionOf);
  };
  const nowMs = proved.nowMs + 5000;
  const view = makeCycleView(proved, made);
  const chain = explain({ nowMs, uptimeMs: 0, version: "1", view, syncState }, subject);
  const step = present(
    chain.steps?.find(({ title }) => title === "Sent"),
    "it is told",
  );
  return `${step.state === LinkState.GOOD ? "ok" : "!!"} ${step.detail}`;
}

const ILL = ["vip/192.0.2.101", USED] as const;
const LISTENER = ["listener/192.0.2.101/tcp/443", TAKEN] as const;

test("who is well hears nothing of what an agent did not take of another's", () => {
  assert.match(sentOf("default/web", [ILL, LISTENER]), /^ok applied by lb-1; the plan of lb-1/);
});

test("everything that an agent did not take of the claim is named", () => {
  assert.equal(
    sentOf("default/ill", [ILL, LISTENER]),
    "!! lb-1: vip/192.0.2.101: 52:54:00:12:34:56 answers for it; " +
      "listener/192.0.2.101/tcp/443: another process listens there",
  );
});

test("what is another's does not come before what is the claim's own", () => {
  const others = ["listener/192.0.2.100/tcp/80", TAKEN] as const;
  const own = "lb-1: listener/192.0.2.101/tcp/443: another process listens there";
  assert.equal(sentOf("default/ill", [others, LISTENER]), `!! ${own}`);
});

test("of many parts the first are told, and the others are counted", () => {
  const members = ["members/192.0.2.101/tcp/443", TAKEN] as const;
  const other = ["listener/192.0.2.101/tcp/80", TAKEN] as const;
  assert.match(sentOf("default/ill", [ILL, LISTENER, other, members]), / \(and 1 more\)$/);
});

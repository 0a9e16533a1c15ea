// What an operator asks of a world in which lb-1 holds one address with lb-2 and lb-3 behind it, in
// a few words, and tables of what he is told. For tests alone.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Address,
  type AgentName,
  type AgentView,
  type Intent,
  parseAddress,
  parseAgentName,
  present,
  type World,
} from "@fairlead/model";

import type { Act } from "./act.ts";
import { judgeAct } from "./judge-act.ts";

/** The holder. */
export const A: AgentName = nameOf("lb-1");
/** Who is behind it. */
export const B: AgentName = nameOf("lb-2");
/** The last one. */
export const C: AgentName = nameOf("lb-3");
/** The address that is held. */
export const VIP: Address = present(parseAddress("192.0.2.100"), "an address");
/** The lane that it rides in. */
export const LANE = "192.0.2.0/24#1";

/** An agent is drained. */
export function drained(agent: AgentName): Intent {
  return { id: `drain-${agent}`, sinceMs: 0, kind: "drain", agent };
}

/** All is frozen. */
export const FROZEN: Intent = { id: "freeze", sinceMs: 0, kind: "freeze" };

/** The world while these agents are out of reach. */
export function lacking(world: World, names: readonly string[]): World {
  const agents = Array.from(world.agents.values(), (agent): AgentView =>
    names.includes(agent.name) ? { ...agent, connected: false, disconnectedAtMs: 1 } : agent,
  );
  return { ...world, agents: new Map(agents.map((agent) => [agent.name, agent])) };
}

/** The address is to go to this agent. */
export function move(to: AgentName = C): Act {
  return { kind: "move", address: VIP, to, isDryRun: false };
}

/** The agent is to hold nothing. */
export function drain(agent: AgentName = A): Act {
  return { kind: "drain", agent, isDryRun: false };
}

/** What is said of clients where addresses move. */
export const ENDS =
  "connections through a proxy end when their address moves; clients that connect anew are served";

/** An act that is allowed in its world. */
export interface AllowedCase {
  readonly name: string;
  readonly world: World;
  readonly act: Act;
  readonly will: readonly string[];
  readonly did: readonly string[];
}

/** Declares a test for each: what will happen, and what was done. */
export function testAllowed(allowed: readonly AllowedCase[]): void {
  for (const { name, world, act, will, did } of allowed) {
    test(name, () => {
      const judged = judgeAct(world, act);
      assert.ok(judged.kind === "allowed", JSON.stringify(judged));
      assert.deepEqual([judged.will, judged.did], [will, did]);
    });
  }
}

/** An act that is not. */
export interface DeniedCase {
  readonly name: string;
  readonly world: World;
  readonly act: Act;
  readonly kind: "refused" | "not-found";
  readonly why: string;
}

/** Declares a test for each: whether what is asked for is there, and why it is not done. */
export function testDenied(denied: readonly DeniedCase[]): void {
  for (const { name, world, act, kind, why } of denied) {
    test(`${name} is ${kind}`, () => {
      const judged = judgeAct(world, act);
      assert.ok(judged.kind === kind, JSON.stringify(judged));
      assert.deepEqual(judged.why, [why]);
    });
  }
}

function nameOf(text: string): AgentName {
  return present(parseAgentName(text), text);
}

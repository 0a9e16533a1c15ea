// A node plan as JSON text: the agent's memory on disk, readable by people. Reading is strict: what
// is damaged, of another format, or does not hash to what it says is refused whole.

import { fromJson, toJson } from "@bufbuild/protobuf";
import {
  type AgentName,
  type NodePlan,
  type Resource,
  type ResourceName,
  type Revision,
  parseAgentName,
} from "@fairlead/model";
import { ResourceSchema } from "@fairlead/proto";
import { type Decoded, ok, refused } from "./decoded.ts";
import { decodeResource, encodeResource } from "./node-plan-codec.ts";
import type { Revisions } from "./revision.ts";

/** Number of the text's format; another one is not read. */
export const PLAN_FORMAT = 1;

/** A plan with the epoch that it came with and its hashes. */
export interface RevisedPlan {
  readonly plan: NodePlan;
  readonly epoch: number;
  readonly revision: Revision;
  readonly revisions: ReadonlyMap<ResourceName, Revision>;
}

/**
 * Makes a writer of plans as JSON, one resource a line. It keeps the line of a resource as long as
 * the resource lives: a plan differs from the one before in few of thousands.
 */
export function createPlanWriter(): (plan: RevisedPlan) => string {
  const lines = new WeakMap<Resource, string>();
  const lineOf = (resource: Resource): string => {
    const known = lines.get(resource);
    if (known !== undefined) return known;
    const line = JSON.stringify(toJson(ResourceSchema, encodeResource(resource)));
    lines.set(resource, line);
    return line;
  };
  return (plan) => planText(plan, Array.from(plan.plan.resources.values(), lineOf));
}

function planText(plan: RevisedPlan, lines: readonly string[]): string {
  const head = JSON.stringify({
    format: PLAN_FORMAT,
    agent: plan.plan.agent,
    epoch: plan.epoch,
    revision: plan.revision,
  });
  return `${head.slice(0, -1)},"resources":[\n${lines.join(",\n")}\n]}\n`;
}

/** Reads what a writer of plans wrote. The plan's revision is computed anew and must agree. */
export function planFromText(text: string, revisions: Revisions): Decoded<RevisedPlan> {
  const head = readHead(text);
  if (head.kind === "refused") return head;
  const { agent, epoch, revision, entries } = head.value;
  const resources = new Map<ResourceName, Resource>();
  const known = new Map<ResourceName, Revision>();
  for (const entry of entries) {
    const resource = readResource(entry);
    if (resource === undefined) return refused("plan file: bad resource");
    resources.set(resource.name, resource);
    known.set(resource.name, revisions.revisionOf(resource));
  }
  if (revisions.planRevisionOf(known) !== revision) return refused("plan file: wrong revision");
  return ok({ plan: { agent, resources, retained: [] }, epoch, revision, revisions: known });
}

interface Head {
  readonly agent: AgentName;
  readonly epoch: number;
  readonly revision: Revision;
  readonly entries: readonly unknown[];
}

function readHead(text: string): Decoded<Head> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return refused("plan file: not JSON");
  }
  if (typeof parsed !== "object" || parsed === null) return refused("plan file: not an object");
  const fields = new Map<string, unknown>(Object.entries(parsed));
  if (fields.get("format") !== PLAN_FORMAT) return refused("plan file: unknown format");
  const name = fields.get("agent");
  const agent = typeof name === "string" ? parseAgentName(name) : undefined;
  const epoch = fields.get("epoch");
  const revision = fields.get("revision");
  const entries = fields.get("resources");
  if (agent === undefined) return refused("plan file: bad agent");
  if (typeof epoch !== "number" || !Number.isSafeInteger(epoch) || epoch < 0) {
    return refused("plan file: bad epoch");
  }
  if (typeof revision !== "string" || !/^[0-9a-f]{32}$/.test(revision)) {
    return refused("plan file: bad revision");
  }
  if (!Array.isArray(entries)) return refused("plan file: bad resources");
  return ok({ agent, epoch, revision: revision as Revision, entries });
}

function readResource(entry: unknown): Resource | undefined {
  try {
    // The text came from JSON.parse, so it is a JSON value; fromJson refuses what is no resource.
    const message = fromJson(ResourceSchema, entry as Parameters<typeof fromJson>[1]);
    // The file holds no revisions of single resources: they are computed. Sixteen zero bytes
    // stand in for the field, which reading checks.
    message.revision = new Uint8Array(16);
    const decoded = decodeResource(message);
    return decoded.kind === "ok" ? decoded.value.resource : undefined;
  } catch {
    return undefined;
  }
}

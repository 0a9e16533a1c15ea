// What an API server makes of Services besides keeping them: what it fills in, and what it
// refuses. Pure. Only the rules that writes of ours can meet.

import { eventProblem } from "@fairlead/controller";

import { childOf, isJson, type Json, listOf, omit, textOf } from "./json-tree.ts";
import { invalid, type StubAnswer } from "./status-answers.ts";
import type { StubKind } from "./stub-kinds.ts";

/** The object with what the server fills in; `before` is undefined for one that is new. */
export function withDefaults(kind: StubKind, before: Json | undefined, object: Json): Json {
  if (kind.kind !== "Service") return object;
  const spec = childOf(object, "spec");
  const { loadBalancer: _, conditions: __, ...otherStatus } = childOf(object, "status");
  const loadBalancer = childOf(childOf(object, "status"), "loadBalancer");
  // Addresses go with the type that they belong to.
  const hasLeft = isBalancer(before) && !isBalancer(object);
  const ingress = hasLeft ? [] : listOf(loadBalancer, "ingress").map(withMode);
  const conditions = listOf(childOf(object, "status"), "conditions").map(withoutZero);
  return {
    ...object,
    spec: { type: "ClusterIP", ...spec },
    status: {
      ...otherStatus,
      loadBalancer: {
        ...omit(loadBalancer, "ingress"),
        ...(ingress.length === 0 ? {} : { ingress }),
      },
      ...(conditions.length === 0 ? {} : { conditions }),
    },
  };
}

function isBalancer(object: Json | undefined): boolean {
  return textOf(childOf(object ?? {}, "spec"), "type") === "LoadBalancer";
}

function withMode(entry: unknown): unknown {
  return isJson(entry) && textOf(entry, "ip") !== "" ? { ipMode: "VIP", ...entry } : entry;
}

/** A generation of 0 counts as none, and Services have no other. */
function withoutZero(condition: unknown): unknown {
  if (!isJson(condition) || condition["observedGeneration"] !== 0) return condition;
  const { observedGeneration: _, ...rest } = condition;
  return rest;
}

/** Why the server does not accept the object; `before` is undefined for one that is new. */
export function objection(
  kind: StubKind,
  before: Json | undefined,
  after: Json,
): StubAnswer | undefined {
  const name = textOf(childOf(after, "metadata"), "name");
  const refuse = (field: string, because: string): StubAnswer =>
    invalid(kind.kind, name, field, because);
  const added = newFinalizers(before, after);
  if (added.length > 0) {
    const found = `found new finalizers []string{${added.map((each) => JSON.stringify(each)).join(", ")}}`;
    const because = "no new finalizers can be added if the object is being deleted";
    return refuse("metadata.finalizers", `Forbidden: ${because}, ${found}`);
  }
  const problem = kind.kind === "Event" ? eventProblem(before, after) : undefined;
  if (problem !== undefined) return refuse(problem.field, problem.because);
  if (kind.kind !== "Service") return undefined;
  const spec = childOf(after, "spec");
  if (listOf(spec, "ports").length === 0 && textOf(spec, "type") !== "ExternalName") {
    if (spec["clusterIP"] !== "None") return refuse("spec.ports", "Required value");
  }
  const ingress = listOf(childOf(childOf(after, "status"), "loadBalancer"), "ingress");
  if (ingress.length > 0 && textOf(spec, "type") !== "LoadBalancer") {
    const because = "Forbidden: may only be used when `spec.type` is 'LoadBalancer'";
    return refuse("status.loadBalancer.ingress", because);
  }
  return undefined;
}

function newFinalizers(before: Json | undefined, after: Json): readonly unknown[] {
  const metadata = childOf(before ?? {}, "metadata");
  if (metadata["deletionTimestamp"] === undefined) return [];
  const known = listOf(metadata, "finalizers");
  return listOf(childOf(after, "metadata"), "finalizers").filter((each) => !known.includes(each));
}

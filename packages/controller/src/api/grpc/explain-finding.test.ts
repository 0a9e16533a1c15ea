// What explain tells of what never became a claim or a pool, asked for in all the ways that people
// name it.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Finding } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import { makeClaim, makeCycleView, makeRevisionOf, makeWorld, nextWorld } from "@fairlead/testkit";
import { LinkState } from "@fairlead/wire";

import type { CycleView } from "../../cycle-view.ts";
import type { ServiceBook, ServiceRecord } from "../../kube/service-record.ts";
import type { AdminContext } from "./admin-context.ts";
import { explain } from "./explain.ts";

const T1: Finding = {
  subject: "object",
  name: "Service default/t1",
  reason: "BadField",
  detail: 'in "t1.yaml": spec.ports: expected array, received number',
  files: ["t1.yaml"],
};
const SHOP: Finding = { ...T1, name: "Service shop/t1", files: ["shop.yaml"] };
const LAN: Finding = {
  subject: "pool",
  name: "lan",
  reason: "BadPoolRange",
  detail: 'in "t1.yaml": "192.0.2" is no address',
  files: ["t1.yaml"],
};
const NAMELESS: Finding = {
  subject: "object",
  name: "a Service in t1.yaml",
  reason: "BadField",
  detail: 'in "t1.yaml": metadata.name must be text',
  files: ["t1.yaml"],
};

function contextOf(findings: readonly Finding[], view: Partial<CycleView> = {}): AdminContext {
  const world = makeWorld();
  return {
    nowMs: world.nowMs,
    uptimeMs: 0,
    version: "1",
    view: makeCycleView(world, undefined, { findings, ...view }),
    syncState: () => ({ state: "in-sync", detail: "" }),
  };
}

/** Title and lines of the chain; undefined: nothing is called so. */
function told(context: AdminContext, subject: string): readonly string[] | undefined {
  const { found, title = "", steps = [], remedy } = explain(context, subject);
  if (found !== true) return undefined;
  assert.equal(steps[0]?.state, LinkState.BROKEN);
  assert.notEqual(remedy, "");
  return [title, ...steps.map((step) => `${step.title}: ${step.detail}`)];
}

for (const subject of ["default/t1", "t1", "service/t1", "svc/default/t1", T1.name, "t1.yaml"]) {
  test(`a Service that cannot be read is explained by ${subject}`, () => {
    const lines = told(contextOf([SHOP, T1]), subject);
    assert.deepEqual(lines, ["Object Service default/t1", `Read: ${T1.detail}`]);
  });
}

test("a name in another namespace, or of another kind, is another's", () => {
  for (const subject of ["other/t1", "t", "pool/t1", "agent/t1", "t1.yml"]) {
    assert.equal(told(contextOf([T1]), subject), undefined, subject);
  }
});

test("a pool that cannot be read is explained with its kind too", () => {
  for (const subject of ["lan", "pool/lan"]) {
    assert.deepEqual(told(contextOf([LAN]), subject), ["Pool lan", `Read: ${LAN.detail}`]);
  }
});

test("a file's name stands for all that is wrong in it, each by its name", () => {
  assert.deepEqual(told(contextOf([SHOP, T1, LAN, NAMELESS]), "t1.yaml"), [
    "File t1.yaml",
    `Read: Service default/t1: ${T1.detail}`,
    `Read: lan: ${LAN.detail}`,
    `Read: a Service in t1.yaml: ${NAMELESS.detail}`,
  ]);
});

test("a Service of a cluster that cannot be read is not said to ask for nothing", () => {
  const record = { namespace: "default", name: "t1", uid: "u", finalizers: [], writers: [] };
  const services: Pick<ServiceBook, "get"> = {
    get: () => ({ ...record, type: "LoadBalancer" }) as unknown as ServiceRecord,
  };
  const lines = told({ ...contextOf([T1]), services }, "default/t1");
  assert.deepEqual(lines, ["Object Service default/t1", `Read: ${T1.detail}`]);
});

test("what the store holds for a Service whose manifest cannot be read is told with that", () => {
  const revisionOf = makeRevisionOf();
  const claims = [makeClaim("t1")];
  const before = makeWorld({ claims });
  const first = plan(before, { revisionOf });
  const world = nextWorld(before, first, { claims: [], absent: claims });
  const made = plan(world, { revisionOf });
  const view = makeCycleView(world, made, { findings: [T1] });
  assert.deepEqual(told({ ...contextOf([]), view }, "default/t1"), [
    "Service default/t1",
    `Seen: ${T1.detail}`,
    "Address: 192.0.2.100 of pool default stays meanwhile",
  ]);
});

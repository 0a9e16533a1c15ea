// What a chain says of a status that is not what it shall be: that it is on its way, or what keeps
// it from being written.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Finding, Verdict } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import { address, makeClaim, makeCycleView, makeRevisionOf, makeWorld } from "@fairlead/testkit";

import type { ServiceRecord } from "../../kube/service-record.ts";
import { statusLink } from "./cluster-links.ts";

const PATH = "/api/v1/namespaces/default/services/web";
const { id: claim, uid } = makeClaim("web");
const VERDICT: Verdict = {
  claim,
  uid,
  generation: 1,
  state: "ready",
  addresses: [{ address: address("192.0.2.100"), published: true }],
  conditions: [],
  remarks: [],
};
const RECORD: ServiceRecord = {
  namespace: "default",
  name: "web",
  uid: "2f0c8a1e",
  resourceVersion: "812",
  generation: 1,
  type: "LoadBalancer",
  isDeleting: false,
  finalizers: [],
  ingress: [],
  conditions: [],
  writers: [],
};

function linkWith(...found: readonly (readonly [name: string, detail: string])[]): string {
  const world = makeWorld();
  const findings = found.map(([name, detail]): Finding => {
    return { subject: "source", name, reason: "PublishFailed", detail };
  });
  const view = makeCycleView(world, plan(world, { revisionOf: makeRevisionOf() }), { findings });
  const context = {
    view,
    nowMs: world.nowMs,
    uptimeMs: 0,
    version: "0.1.0",
    syncState: () => ({ state: "in-sync", detail: "" }) as const,
  };
  const { state, detail, reason = "-" } = statusLink(context, VERDICT, RECORD);
  return `${state} ${reason} ${detail}`;
}

const ON_ITS_WAY = "doubt - its status says no address and is being changed to 192.0.2.100";
const HINDERED =
  "broken PublishFailed its status says no address, shall say 192.0.2.100 and cannot be written";

test("a Service whose status may not be written was said to be changed for ever", () => {
  for (const right of ["services", "services/status"]) {
    const said = linkWith([`kubernetes patch ${right}`, "forbidden by RBAC"]);
    assert.equal(said, `${HINDERED}: forbidden by RBAC`);
  }
  const denied = `PATCH ${PATH}/status: denied`;
  const first = `PATCH ${PATH}2: denied; ${denied}`;
  for (const detail of [denied, first, `PATCH ${PATH}?fieldManager=x: denied`]) {
    assert.equal(linkWith(["kubernetes writes", detail]), `${HINDERED}: ${detail}`);
  }
});

test("a status that waits is on its way while something else cannot be written", () => {
  assert.equal(linkWith(), ON_ITS_WAY);
  const others = linkWith(
    ["kubernetes writes", `PATCH ${PATH}2/status: denied`],
    ["kubernetes create events.events.k8s.io", "forbidden by RBAC"],
    ["kubernetes patch addresspools.fairlead.io/status", "forbidden by RBAC"],
  );
  assert.equal(others, ON_ITS_WAY);
});

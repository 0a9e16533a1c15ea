// What stands in spec.externalIPs, beside what others wrote there, and when nothing may.

import assert from "node:assert/strict";
import { test } from "node:test";

import { makeAgent } from "@fairlead/testkit";

import { readServiceRecord } from "../../kube/read-record.ts";
import { EXTERNAL_MANAGER, WRITTEN_EXTERNAL_IPS } from "../../kube/service-record.ts";
import { externalIPsToWrite, whyNoExternalIPs } from "./external-ips.ts";
import { writeRequest } from "./write-request.ts";

function recordOf(list: readonly string[], note: string): ReturnType<typeof readServiceRecord> {
  return readServiceRecord({
    metadata: {
      namespace: "default",
      name: "web",
      uid: "u",
      resourceVersion: "7",
      annotations: note === "" ? {} : { [WRITTEN_EXTERNAL_IPS]: note },
    },
    spec: { type: "LoadBalancer", externalIPs: list },
  });
}

const cases = [
  { name: "ours comes", list: [], note: "", wanted: ["a"], all: "a", ours: "a" },
  { name: "after what others wrote", list: ["x"], note: "", wanted: ["a"], all: "x,a", ours: "a" },
  {
    name: "what another address was goes",
    list: ["x", "a"],
    note: "a",
    wanted: ["b"],
    all: "x,b",
    ours: "b",
  },
  {
    name: "ours goes, and theirs stays",
    list: ["a", "x"],
    note: "a",
    wanted: [],
    all: "x",
    ours: "",
  },
  {
    name: "what a user wrote before us is the user's",
    list: ["a"],
    note: "",
    wanted: ["a"],
    all: undefined,
    ours: "",
  },
  { name: "and is so when we go", list: ["a"], note: "", wanted: [], all: undefined, ours: "" },
  {
    name: "what is said is not said again",
    list: ["x", "a"],
    note: "a",
    wanted: ["a"],
    all: undefined,
    ours: "",
  },
  {
    name: "what others took out comes again",
    list: ["x"],
    note: "a",
    wanted: ["a"],
    all: "x,a",
    ours: "a",
  },
  { name: "a note without its entries goes", list: [], note: "a", wanted: [], all: "", ours: "" },
] as const;

for (const { name, list, note, wanted, all, ours } of cases) {
  test(name, () => {
    const found = externalIPsToWrite(recordOf(list, note), wanted);
    assert.equal(found?.all.join(), all);
    if (found !== undefined) assert.equal(found.ours.join(), ours);
  });
}

test("it is applied under a name of its own, by the version that was seen", () => {
  const record = recordOf(["x"], "");
  const list = { all: ["x", "192.0.2.10"], ours: ["192.0.2.10"] };
  const request = writeRequest({ kind: "external", record, list });
  assert.equal(request.query?.["fieldManager"], EXTERNAL_MANAGER);
  assert.deepEqual(request.body, {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      namespace: "default",
      name: "web",
      uid: "u",
      resourceVersion: "7",
      annotations: { [WRITTEN_EXTERNAL_IPS]: "192.0.2.10" },
    },
    spec: { externalIPs: ["x", "192.0.2.10"] },
  });
  const last = writeRequest({ kind: "external", record, list: { all: [], ours: [] } });
  assert.equal("spec" in (last.body as object), false, "what is not applied goes");
});

test("an agent on a node is named, and not knowing counts as one", () => {
  const agent = makeAgent("lb-1", { prefixes: ["10.0.0.5/24"] });
  const agents = new Map([[agent.name, agent]]);
  assert.equal(whyNoExternalIPs(agents, new Set(["10.0.0.6"])), undefined);
  const why = whyNoExternalIPs(agents, new Set(["10.0.0.5"]));
  assert.match(why ?? "", /^agent lb-1 runs on the node 10\.0\.0\.5, where kube-proxy/);
  assert.match(whyNoExternalIPs(agents, undefined) ?? "", /right to list and watch nodes/);
});

// Services of a cluster as facts: what a change of one object says, and what ends a claim.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { parseClaimId, present } from "@fairlead/model";

import type { Fact } from "../../facts.ts";
import { createSharedTexts } from "../../kube/shared-texts.ts";
import {
  type Fields,
  SAMPLE_SETTINGS,
  sampleNode,
  sampleService,
  sampleSlice,
} from "../sample-objects.ts";
import { ClaimTable } from "./claim-table.ts";
import { readNode, readSlice } from "./read-object.ts";
import { readService } from "./read-service.ts";

const KEY = "default/web";
const READING = { origin: "cluster lab", share: createSharedTexts() };
const WEB = new Set([present(parseClaimId("service/default/web"), "a claim's id")]);
const OURS = { finalizers: ["fairlead.io/release"] };

function setService(table: ClaimTable, spec: Fields = {}, metadata: Fields = {}): void {
  const object = sampleService(spec, {
    name: "web",
    namespace: "default",
    uid: "u1",
    resourceVersion: "7",
    ...metadata,
  });
  table.setService(KEY, readService(object, READING));
}

function setSlice(table: ClaimTable, fields: Fields = {}, name = "web-1"): void {
  const object = sampleSlice({
    metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
    ...fields,
  });
  const read = readSlice(object, "cluster lab");
  assert(!("reason" in read));
  table.setSlice(`default/${name}`, read);
}

/** All that there is to say, in words. */
function say(table: ClaimTable): readonly string[] {
  return [...table.dirty].flatMap((key) => table.facts(key).map(words));
}

function words(fact: Fact): string {
  switch (fact.kind) {
    case "claim-seen": {
      const members = fact.claim.listeners.flatMap((listener) =>
        listener.members.map(({ address, port }) => `${address}:${port}`),
      );
      return `seen ${fact.claim.id} ${fact.claim.uid} -> ${members.join(" ")}`.trimEnd();
    }
    case "claim-gone":
      return `gone ${fact.id} ${fact.uid} ${fact.how}`;
    case "finding":
      return `finding ${fact.finding.name}: ${fact.finding.reason}`;
    case "finding-cleared":
      return `cleared ${fact.name}`;
    default:
      return fact.kind;
  }
}

function tableWithWeb(): ClaimTable {
  const table = new ClaimTable("kubernetes", SAMPLE_SETTINGS);
  setService(table);
  setSlice(table);
  say(table);
  return table;
}

suite("a Service of a cluster", () => {
  test("is said with the members of all its slices, whichever came first", () => {
    const table = new ClaimTable("kubernetes", SAMPLE_SETTINGS);
    setSlice(table);
    setService(table);
    assert.deepEqual(say(table), ["seen service/default/web u1 -> 10.0.0.1:8080 10.0.0.2:8080"]);
    setSlice(table, { endpoints: [{ addresses: ["10.0.0.3"] }] }, "web-2");
    assert.match(say(table)[0] ?? "", / 10\.0\.0\.1:8080 10\.0\.0\.2:8080 10\.0\.0\.3:8080$/u);
    table.setSlice("default/web-1", undefined);
    assert.deepEqual(say(table), ["seen service/default/web u1 -> 10.0.0.3:8080"]);
  });

  test("that says the same again is no news", () => {
    const table = tableWithWeb();
    setService(table, {}, { resourceVersion: "8", managedFields: [], annotations: { x: "y" } });
    setSlice(table);
    assert.deepEqual(say(table), []);
  });

  const endings: readonly {
    readonly name: string;
    readonly end: (table: ClaimTable) => void;
  }[] = [
    { name: "deleted", end: (table) => table.setService(KEY, undefined) },
    {
      name: "being deleted, while a finalizer keeps it",
      end: (table) => setService(table, {}, { ...OURS, deletionTimestamp: "2026-01-01T00:00:00Z" }),
    },
    { name: "of another type", end: (table) => setService(table, { type: "ClusterIP" }, OURS) },
  ];
  for (const { name, end } of endings) {
    test(`${name}: its claim is gone, and is said to be so once`, () => {
      const table = tableWithWeb();
      end(table);
      assert.deepEqual(say(table), ["gone service/default/web u1 seen-deleted"]);
    });
  }

  test("made again under its name is the end of one claim and the start of another", () => {
    const table = tableWithWeb();
    setService(table, {}, { uid: "u2" });
    assert.deepEqual(say(table), [
      "gone service/default/web u1 seen-deleted",
      "seen service/default/web u2 -> 10.0.0.1:8080 10.0.0.2:8080",
    ]);
  });

  test("that bears our finalizer and asks for nothing ended while nobody looked", () => {
    const table = new ClaimTable("kubernetes", SAMPLE_SETTINGS);
    setService(table, { type: "ClusterIP" }, OURS);
    assert.deepEqual(say(table), ["gone service/default/web u1 seen-deleted"]);
  });

  test("that cannot be used is named, and what it said last stays", () => {
    const table = tableWithWeb();
    setService(table, { ports: [{ port: 99_999 }] });
    assert.deepEqual(say(table), ["finding Service default/web: BadField"]);
    setService(table);
    assert.deepEqual(say(table), ["cleared Service default/web"]);
  });
});

/** The ms of the quickest of some changes of a Service with 10000 endpoints and so many ports. */
function changeMs(portCount: number): number {
  const table = new ClaimTable("kubernetes", SAMPLE_SETTINGS);
  const indices = Array.from({ length: portCount }, (_, index) => index);
  const ports = indices.map((index) => ({ name: `p${index}`, port: 8000 + index }));
  setService(table, { ports });
  const change = (at: number, isReady: boolean): void => {
    const endpoints = Array.from({ length: 100 }, (_, each) => ({
      addresses: [`10.0.${each}.${at}`],
      conditions: { ready: isReady || each > 0 },
    }));
    setSlice(table, { ports, endpoints }, `web-${at}`);
  };
  for (let at = 0; at < 100; at++) change(at, true);
  say(table);
  const times = [0, 1, 2, 3, 4].map((at) => {
    change(at, false);
    const beganMs = performance.now();
    table.facts(KEY);
    return performance.now() - beganMs;
  });
  return Math.min(...times);
}

test("a hundred ports on ten thousand endpoints cost no hundred times what one port costs", () => {
  // Three times, and sixty times where each port reads and sorts them all again.
  const ratio = changeMs(100) / changeMs(1);
  assert.ok(ratio < 20, `${ratio.toFixed(1)} times the work`);
});

suite("an API server as a member", () => {
  const kubernetes = {
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { "kubernetes.io/service-name": "kubernetes" },
    },
    ports: [{ name: "https", port: 6443 }],
    endpoints: [{ addresses: ["10.0.0.1"] }],
  };

  test("is left out and named, also when somebody writes a slice by hand", () => {
    const table = tableWithWeb();
    setSlice(table, kubernetes, "kubernetes");
    assert.deepEqual([...table.apiEndpoints()], ["10.0.0.1 6443"]);
    setSlice(table, { ports: [{ name: "http", port: 6443 }] });
    table.setApiServers(table.apiEndpoints());
    const facts = table.facts(KEY);
    assert.deepEqual(facts.map(words), ["seen service/default/web u1 -> 10.0.0.2:6443"]);
    const [seen] = facts;
    assert.ok(seen?.kind === "claim-seen");
    const remarks = seen.claim.remarks.map(({ reason, detail }) => `${reason}: ${detail}`);
    assert.deepEqual(remarks, ["BadMember: left out, as it is an API server: 10.0.0.1 port 6443"]);
  });

  test("is left out by its cluster IPs as well, when these are known later", () => {
    const table = tableWithWeb();
    const ports = [{ name: "http", port: 443 }];
    setSlice(table, {
      ports,
      endpoints: [{ addresses: ["10.96.0.1"] }, { addresses: ["10.0.0.2"] }],
    });
    setSlice(
      table,
      { ports, addressType: "IPv6", endpoints: [{ addresses: ["fd00:96::1"] }] },
      "web-6",
    );
    assert.deepEqual(say(table), [
      "seen service/default/web u1 -> 10.0.0.2:443 10.96.0.1:443 fd00:96::1:443",
    ]);
    const spec = {
      type: "ClusterIP",
      clusterIPs: ["10.96.0.1", "FD00:96:0::1"],
      ports: [{ name: "https", port: 443, targetPort: 6443 }],
    };
    const object = sampleService(spec, { name: "kubernetes", namespace: "default", uid: "k" });
    table.setService("default/kubernetes", readService(object, READING));
    assert.deepEqual([...table.apiEndpoints()], ["10.96.0.1 443", "fd00:96::1 443"]);
    table.setApiServers(table.apiEndpoints());
    assert.deepEqual(say(table), ["seen service/default/web u1 -> 10.0.0.2:443"]);
  });

  test("is a member of its own Service, which only an administrator can expose", () => {
    const table = new ClaimTable("kubernetes", SAMPLE_SETTINGS);
    setSlice(table, kubernetes, "kubernetes");
    table.setApiServers(table.apiEndpoints());
    const spec = { ports: [{ name: "https", port: 443, targetPort: 6443 }] };
    const object = sampleService(spec, { name: "kubernetes", namespace: "default", uid: "k" });
    table.setService("default/kubernetes", readService(object, READING));
    assert.deepEqual(say(table), ["seen service/default/kubernetes k -> 10.0.0.1:6443"]);
  });
});

suite("another controller's word in the status", () => {
  const managedFields = [
    {
      manager: "metallb-controller",
      operation: "Update",
      subresource: "status",
      fieldsV1: { "f:status": { "f:loadBalancer": { "f:ingress": {} } } },
    },
  ];
  const ingress = [{ ip: "203.0.113.7" }];
  const remarksOf = (
    metadata: Fields,
    spec: Fields = {},
    status: Fields = { loadBalancer: { ingress } },
  ): readonly string[] => {
    const table = new ClaimTable("kubernetes", SAMPLE_SETTINGS);
    const object = sampleService(spec, { namespace: "default", uid: "u1", ...metadata });
    table.setService(KEY, readService({ ...object, status }, READING));
    const [fact] = table.facts(KEY);
    assert.ok(fact?.kind === "claim-seen");
    const { refusals, remarks } = fact.claim;
    return [
      ...refusals.map(({ reason }) => `refused ${reason}`),
      ...remarks.map(({ reason }) => `remarked ${reason}`),
    ];
  };

  test("keeps us away from a Service that was never ours", () => {
    assert.deepEqual(remarksOf({ managedFields }), ["refused OtherControllerActive"]);
  });

  test("kept us away for good from a Service whose address had gone with its type", () => {
    assert.deepEqual(remarksOf({ managedFields }, {}, { loadBalancer: {} }), []);
  });

  test("ends nothing that we serve: it is named, and serving goes on", () => {
    assert.deepEqual(remarksOf({ managedFields, ...OURS }), ["remarked OtherControllerActive"]);
  });

  test("was not named where the class says that we serve it", () => {
    const spec = { loadBalancerClass: "fairlead.io/agents" };
    assert.deepEqual(remarksOf({ managedFields, ...OURS }, spec), [
      "remarked OtherControllerActive",
    ]);
    assert.deepEqual(remarksOf({ managedFields }, spec), [], "what stood there before is no word");
  });

  test("is not worth a word where people's hands wrote it", () => {
    const byHand = managedFields.map((entry) => ({ ...entry, manager: "kubectl-edit" }));
    assert.deepEqual(remarksOf({ managedFields: byHand, ...OURS }), []);
  });
});

test("a Service with 256 KiB of annotations is kept without them", () => {
  const annotations = { "example.com/big": "x".repeat(256 * 1024), "fairlead.io/balance": "hash" };
  const object = sampleService({}, { name: "web", namespace: "default", uid: "u1", annotations });
  const text = JSON.stringify(readService(object, READING));
  assert.ok(text.length < 3000, `${text.length} characters are kept`);
  assert.match(text, /fairlead\.io\/balance/u);
});

test("of who wrote a Service only who writes its load balancer's status is kept", () => {
  const ports = Array.from({ length: 1000 }, (_, port) => [`k:{"port":${port}}`, { "f:port": {} }]);
  const spec = { "f:spec": { "f:ports": Object.fromEntries(ports) as Fields } };
  const status = {
    "f:loadBalancer": { "f:ingress": {} },
    "f:conditions": { 'k:{"type":"fairlead.io/Serving"}': {} },
  };
  const time = "2026-01-01T00:00:00Z";
  const common = { operation: "Apply", apiVersion: "v1", time, fieldsType: "FieldsV1" };
  const managedFields = [
    { manager: "kubectl", ...common, fieldsV1: spec },
    { manager: "cloud", ...common, fieldsV1: { "f:status": status }, subresource: "status" },
    { manager: "fairlead-finalizer", ...common, fieldsV1: { "f:metadata": {} } },
  ];
  const object = sampleService({}, { namespace: "default", uid: "u1", managedFields });
  const said = { loadBalancer: { ingress: [{ ip: "203.0.113.7" }] } };
  const reading = readService({ ...object, status: said }, READING);
  assert(!("reason" in reading.object) && reading.object.kind === "Service");
  const fieldsV1 = { "f:status": { "f:loadBalancer": {} } };
  const kept = [{ manager: "cloud", subresource: "status", fieldsV1 }];
  assert.deepEqual(reading.object.value.metadata.managedFields, kept);
  const text = JSON.stringify(reading);
  assert.ok(text.length < 3000, `${text.length} characters are kept`);

  const metadata = { name: "web-1", uid: "u2", managedFields };
  const node = { ...sampleNode("web-1", { InternalIP: "10.0.0.1" }), metadata };
  const others = [
    readSlice(sampleSlice({ metadata }), "cluster lab"),
    readNode(node, "cluster lab"),
  ];
  for (const other of others) {
    assert(!("reason" in other) && other.kind !== "AddressPool");
    assert.equal(other.value.metadata.managedFields, undefined, `${other.kind}: none is used`);
  }
});

test("of the labels of an EndpointSlice only the name of its Service is kept", () => {
  const labels = { "kubernetes.io/service-name": "web", "example.com/big": "x".repeat(64) };
  const metadata = { name: "web-1", namespace: "default", uid: "u2", labels };
  const read = readSlice(sampleSlice({ metadata }), "cluster lab");
  assert(!("reason" in read) && read.kind === "EndpointSlice");
  assert.deepEqual(read.value.metadata.labels, { "kubernetes.io/service-name": "web" });
});

suite("what a Service's status says", () => {
  const cases = [
    { name: "is kept when we wrote it", manager: "fairlead", expect: ["192.0.2.7"] },
    { name: "is nothing to us when another wrote it", manager: "other", expect: undefined },
  ];
  for (const { name, manager, expect } of cases) {
    test(name, () => {
      const table = new ClaimTable("kubernetes", SAMPLE_SETTINGS);
      const fieldsV1 = { "f:status": { "f:loadBalancer": { "f:ingress": {} } } };
      const metadata = { name: "web", namespace: "default", uid: "u1", resourceVersion: "7" };
      const managedFields = [{ manager, subresource: "status", fieldsV1 }];
      const status = {
        loadBalancer: { ingress: [{ ip: "192.0.2.7" }, { hostname: "a.example" }] },
      };
      const object = { ...sampleService({}, { ...metadata, managedFields }), status };
      table.setService(KEY, readService(object, READING));
      const [seen] = [...table.dirty].flatMap((key) => table.facts(key));
      const claim = seen?.kind === "claim-seen" ? seen.claim : undefined;
      assert.deepEqual(claim?.statusAddresses, expect);
    });
  }

  function publish(table: ClaimTable, ip: string): void {
    const status = { loadBalancer: { ingress: [{ ip }] } };
    const metadata = { name: "web", namespace: "default", uid: "u1", resourceVersion: "8" };
    const fieldsV1 = { "f:status": { "f:loadBalancer": {} } };
    const managedFields = [{ manager: "fairlead", subresource: "status", fieldsV1 }];
    const object = { ...sampleService({}, { ...metadata, managedFields }), status };
    table.setService(KEY, readService(object, READING));
  }

  test("is no news when it changes", () => {
    const table = tableWithWeb();
    publish(table, "192.0.2.7");
    assert.deepEqual(say(table), []);
  });

  test("is said once to who asks for it, with all else as it was", () => {
    const table = tableWithWeb();
    assert.deepEqual(table.statusFacts(WEB), []);
    publish(table, "192.0.2.7");
    say(table);
    assert.deepEqual(table.statusFacts(new Set()), [], "nobody asks for it");
    const [fact, ...others] = table.statusFacts(WEB);
    assert.deepEqual(others, []);
    assert(fact?.kind === "claim-seen");
    assert.match(words(fact), /^seen service\/default\/web u1 -> 10\.0\.0\.1:8080 /u);
    assert.deepEqual(fact.claim.statusAddresses, ["192.0.2.7"]);
    assert.deepEqual(table.statusFacts(WEB), []);
    publish(table, "192.0.2.7");
    assert.deepEqual(say(table), [], "it is no news after that");
    setService(table);
    say(table);
    const [emptied] = table.statusFacts(WEB);
    assert(emptied?.kind === "claim-seen");
    assert.equal(emptied.claim.statusAddresses, undefined);
  });
});

// What is told of Services by Events, when, and that nothing is told twice.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentView } from "@fairlead/model";

import type { KubeRequest } from "../../kube/kube-client.ts";
import { type KubeError, socketError } from "../../kube/kube-errors.ts";
import { refusal } from "../../kube/memory-cluster.ts";
import { childOf, type Json, textOf } from "../../kube/object-fields.ts";
import {
  addressOf,
  agentOf,
  type Fate,
  leased,
  PublishStage,
  refused,
  served,
  waiting,
} from "./publish-stage.ts";

/** `TYPE REASON ACTION: NOTE` of all Events, with ` xN` for those that repeated. */
function told(stage: PublishStage): readonly string[] {
  return Array.from(stage.cluster.events.values(), (event) => {
    const count = childOf(event, "series")["count"];
    const [type, reason, action, note] = ["type", "reason", "action", "note"].map((field) =>
      textOf(event, field),
    );
    return `${type} ${reason} ${action}: ${note}${count === undefined ? "" : ` x${JSON.stringify(count)}`}`;
  });
}

test("an Event has all that events.k8s.io asks for, and names the object", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  const [[key, event]] = [...stage.cluster.events] as [[string, Json]];
  assert.match(key, /^default\/web\.[0-9a-f]{16}$/u);
  const { regarding, ...rest } = event;
  assert.deepEqual(rest, {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { namespace: "default", name: key.slice("default/".length) },
    eventTime: "2026-01-01T00:00:00.002000Z",
    reportingController: "fairlead.io/controller",
    reportingInstance: "controller-0",
    action: "Allocate",
    reason: "AddressAllocated",
    type: "Normal",
    note: "192.0.2.10 is allocated (pool default).",
  });
  assert.deepEqual(regarding, {
    apiVersion: "v1",
    kind: "Service",
    namespace: "default",
    name: "web",
    uid: "uid-1",
    resourceVersion: "101",
  });
});

test("a refusal is told at once, in the four parts of every error", async () => {
  await using stage = new PublishStage();
  stage.create("web", refused("AddressTaken", 'held by "default/other"'));
  await stage.pass(50);
  assert.deepEqual(told(stage), [
    'Warning AddressTaken Refuse: The address asked for is held by another Service: held by "default/other". ' +
      "Ask for another one, or give both Services the same fairlead.io/sharing-key. [FL0205]",
  ]);
});

test("what waits is told after 3 s, and not again while it waits for the same", async () => {
  await using stage = new PublishStage();
  stage.create("web", waiting("NoAgents"));
  await stage.pass(2900);
  assert.deepEqual(told(stage), []);
  await stage.pass(3_600_000);
  assert.equal(told(stage).length, 1);
  assert.match(
    told(stage)[0] ?? "",
    /^Warning NoAgents Wait: No agent that may hold .* \[FL0401\]$/u,
  );
  stage.want("web", waiting("NoSegment"));
  await stage.pass(4000);
  assert.match(told(stage)[1] ?? "", /^Warning NoSegment Wait: /u);
});

test("a reason that changes all the time is told all the same", async () => {
  await using stage = new PublishStage();
  stage.create("web", waiting("NoAgents"));
  for (let i = 0; i < 5; i += 1) {
    stage.want("web", waiting(i % 2 === 0 ? "NoAgents" : "NoSegment"));
    await stage.pass(1000);
  }
  assert.equal(told(stage).length, 1);
});

test("a wait that is over soon is not told", async () => {
  await using stage = new PublishStage();
  stage.create("web", leased());
  await stage.pass(1500);
  stage.want("web", served());
  await stage.pass(60_000);
  assert.deepEqual(told(stage), [
    "Normal AddressAllocated Allocate: 192.0.2.10 is allocated (pool default).",
  ]);
});

test("members that are missing are told when it lasts", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.want("web", { ...served(), memberless: true });
  await stage.pass(2000);
  stage.want("web", served());
  await stage.pass(10_000);
  assert.equal(told(stage).length, 1);
  stage.want("web", { ...served(), memberless: true });
  await stage.pass(3100);
  assert.match(
    told(stage)[1] ?? "",
    /^Warning NoMembers Check: .*80\/TCP has no member\. .* \[FL0501\]$/u,
  );
});

test("that no node is selected is told as the cause of lacking members", async () => {
  await using stage = new PublishStage();
  const main = { reason: "NoMembers", detail: "no Ready node matches" } as const;
  stage.create("web", { ...served(), memberless: true, main });
  await stage.pass(60_000);
  assert.match(told(stage).at(-1) ?? "", /80\/TCP has no member\.; no Ready node matches/u);
});

test("a daemon's refusal is told in its own words", async () => {
  await using stage = new PublishStage();
  const detail = "on lb-1: nginx: [emerg] unknown directive";
  stage.create("web", { ...leased(), main: { reason: "ConfigRefused", detail } });
  await stage.pass(60_000);
  const [allocated, rejected, ...more] = told(stage);
  assert.match(allocated ?? "", /AddressAllocated/u);
  assert.match(
    rejected ?? "",
    /^Warning ConfigRejected Configure: .*on lb-1: nginx: \[emerg\] unknown directive\. /u,
  );
  assert.deepEqual(more, []);
});

const AGENT: Omit<AgentView, "name"> = {
  connected: true,
  heardAtMs: 0,
  hello: {
    agent: agentOf("lb-1"),
    bootId: "b",
    version: "0.1.0",
    capabilities: [],
    links: [],
    epoch: 0,
  },
  heldSinceMs: new Map(),
};

const VIP = addressOf("192.0.2.10");

const MOVES: readonly {
  readonly name: string;
  readonly from: Partial<AgentView>;
  readonly to: Partial<AgentView>;
  readonly note: string;
}[] = [
  {
    name: "its holder went out of reach",
    from: { connected: false, heardAtMs: 5000, disconnectedAtMs: 5200 },
    to: { heldSinceMs: new Map([[VIP, 5340]]) },
    note: "lb-1 is out of reach; at most 340 ms without it, by its last word",
  },
  {
    name: "its holder gave it up",
    from: { lostAtMs: new Map([[VIP, 5000]]) },
    to: { heldSinceMs: new Map([[VIP, 5051]]) },
    note: "lb-1 gave it up; the other reported it 51 ms later",
  },
  {
    name: "the other spoke first",
    from: { lostAtMs: new Map([[VIP, 5000]]) },
    to: { heldSinceMs: new Map([[VIP, 4990]]) },
    note: "lb-1 gave it up; the other reported it first",
  },
];

for (const c of MOVES) {
  test(`a move says from whom, to whom, why and how fast: ${c.name}`, async () => {
    await using stage = new PublishStage();
    stage.create("web", served("192.0.2.10", "lb-1"));
    await stage.pass();
    stage.wrote();
    // In a takeover nobody holds it for a moment.
    stage.want("web", leased());
    await stage.pass(100);
    stage.agents.set(agentOf("lb-1"), { ...AGENT, name: agentOf("lb-1"), ...c.from });
    stage.agents.set(agentOf("lb-2"), { ...AGENT, name: agentOf("lb-2"), ...c.to });
    stage.want("web", served("192.0.2.10", "lb-2"));
    await stage.pass(10_000);
    assert.deepEqual(told(stage).slice(1), [
      `Normal VipMoved Move: 192.0.2.10 moved from lb-1 to lb-2: ${c.note}.`,
    ]);
  });
}

test("a silent death is told when it is known, and not as something that its holder gave up", async () => {
  await using stage = new PublishStage();
  const [first, second] = [agentOf("lb-1"), agentOf("lb-2")];
  const loser = { ...AGENT, name: first, heardAtMs: 5000, heldSinceMs: new Map([[VIP, 1000]]) };
  stage.create("web", served("192.0.2.10", "lb-1"));
  await stage.pass();
  stage.agents.set(first, loser);
  stage.agents.set(second, { ...AGENT, name: second, heldSinceMs: new Map([[VIP, 5340]]) });
  stage.want("web", served("192.0.2.10", "lb-2"));
  await stage.pass(3000);
  assert.deepEqual(told(stage).slice(1), []);
  stage.agents.set(first, { ...loser, connected: false, disconnectedAtMs: 8000 });
  await stage.pass(10_000);
  assert.deepEqual(told(stage).slice(1), [
    "Normal VipMoved Move: 192.0.2.10 moved from lb-1 to lb-2: lb-1 is out of reach; " +
      "at most 340 ms without it, by its last word.",
  ]);
});

test("what repeats within minutes is one Event with a count, written now and then", async () => {
  await using stage = new PublishStage();
  stage.create("web", refused("PoolExhausted"));
  await stage.pass();
  for (let i = 0; i < 40; i += 1) {
    stage.want("web", served());
    await stage.pass(1500);
    stage.want("web", refused("PoolExhausted"));
    await stage.pass(1500);
  }
  await stage.pass(31_000);
  assert.match(told(stage)[0] ?? "", /^Warning PoolExhausted .* x41$/u);
  const writes = stage.wrote().filter((line) => /^(?:event|count) /u.test(line)).length;
  assert.ok(writes <= 16, `${writes} writes`);

  await stage.pass(400_000);
  stage.want("web", served());
  await stage.pass();
  stage.want("web", refused("PoolExhausted"));
  await stage.pass();
  const again = told(stage).filter((line) => line.startsWith("Warning PoolExhausted"));
  assert.equal(again.length, 2, "after a longer time it is another Event");
});

/** Warnings without title and remedy, after each of these stood for 5 s between good times. */
async function warned(...fates: readonly Fate[]): Promise<readonly string[]> {
  await using stage = new PublishStage();
  stage.create("web", served());
  for (const fate of fates) {
    stage.want("web", fate);
    await stage.pass(5000);
    stage.want("web", served());
    await stage.pass(5000);
  }
  await stage.pass(60_000);
  return told(stage)
    .filter((line) => line.startsWith("Warning"))
    .map((line) => line.replace(/^Warning (\w+) \w+: .*?: (.*?)\. .*\]/u, "$1 $2"));
}

test("an Event kept the words of the first trouble though the second was another one", async () => {
  const badField = (detail: string): Fate => refused("BadField", detail);
  assert.deepEqual(
    await warned(
      badField("balance is 'rnd'"),
      badField("ports has '0'"),
      badField("ports has '0'"),
    ),
    ["BadField balance is 'rnd'", "BadField ports has '0' x2"],
  );
  const full = (pool: string): Fate => waiting("PoolExhausted", `no ipv4 is free in ${pool}`);
  assert.deepEqual(await warned(full("lan-1"), full("lan-2"), full("lan-1")), [
    "PoolExhausted no ipv4 is free in lan-1 x2",
    "PoolExhausted no ipv4 is free in lan-2",
  ]);
});

test("words of a daemon with a time or a process in them are one Event while they repeat", async () => {
  const down = (agent: string, words: string): Fate =>
    waiting("DataPlaneDown", `on ${agent}: ${words}`);
  const refuses = (id: string): Fate => waiting("IpamRefused", `pool lan: request ${id} failed`);
  assert.deepEqual(
    await warned(
      down("lb-1", "12:00:03 process 417 ended"),
      down("lb-1", "12:00:13 process 422 ended"),
      down("lb-2", "12:00:23 process 31 ended"),
      down("lb-2", "12:00:33 no room on the disk"),
      refuses("7f3a-01cc"),
      refuses("c0de-4a11"),
    ),
    [
      "DataPlaneDown on lb-1: 12:00:03 process 417 ended x2",
      "DataPlaneDown on lb-2: 12:00:23 process 31 ended",
      "DataPlaneDown on lb-2: 12:00:33 no room on the disk",
      "IpamRefused pool lan: request 7f3a-01cc failed x2",
    ],
  );
});

const FATES = [
  { name: "served", fate: served() },
  { name: "refused", fate: refused("NoPool") },
  { name: "waiting", fate: waiting("NoAgents") },
  { name: "without members", fate: { ...served(), memberless: true } },
  {
    name: "refused by a daemon",
    fate: { ...leased(), main: { reason: "ConfigRefused", detail: "no" } as const },
  },
];

for (const { name, fate } of FATES) {
  test(`a restart of the controller tells nothing twice: ${name}`, async () => {
    await using stage = new PublishStage();
    stage.create("web", fate);
    await stage.pass(30_000);
    assert.notEqual(told(stage).length, 0);
    stage.wrote();
    await stage.restart();
    await stage.pass(60_000);
    assert.deepEqual(stage.wrote(), []);
  });
}

test("what began while no controller ran is told", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.wrote();
  await stage.restart();
  stage.want("web", waiting("NoAgents"));
  await stage.pass(5000);
  assert.ok(stage.wrote().includes("event web NoAgents"));
});

test("a wait that an earlier life saw begin is told in time", async () => {
  await using stage = new PublishStage();
  stage.create("web", waiting("NoAgents"));
  await stage.pass(1500);
  await stage.restart();
  await stage.pass(2000);
  assert.equal(told(stage).length, 1);
});

test("an Event that cannot be written is tried a few times and dropped", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  stage.cluster.fail = events((request) => refusal(request, 500, "no"));
  await stage.pass(600_000);
  assert.equal(stage.results.filter((result) => result === "event failed").length, 5);
  assert.equal(stage.dropped, 1);
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
});

test("an Event of a namespace that goes is dropped at once, and is no trouble", async () => {
  for (const [status, words] of [
    [403, "unable to create new content in namespace default because it is being terminated"],
    [404, 'namespaces "default" not found'],
  ] as const) {
    await using stage = new PublishStage();
    stage.create("web", served());
    stage.cluster.fail = events((request) => refusal(request, status, words));
    await stage.pass(60_000);
    assert.equal(stage.dropped, 1);
    assert.deepEqual(stage.troubles, []);
  }
});

test("a right to Events that is missing is told, and cleared by the next that is written", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  const words = 'User "fairlead" cannot create resource "events" in API group "events.k8s.io"';
  stage.cluster.fail = events((request) => refusal(request, 403, words));
  await stage.pass(2000);
  assert.match(
    stage.troubles.join("\n"),
    /^\+ PublishFailed kubernetes create events\.events\.k8s\.io: .* --verb=create --resource=events\.events\.k8s\.io; .* --user=fairlead$/u,
  );
  stage.cluster.fail = () => undefined;
  await stage.clock.advance(31_000);
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes create events.events.k8s.io"]);
});

test("an answer that is lost makes no second Event", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  const { client } = stage.cluster;
  const send = client.request.bind(client);
  let isCut = true;
  client.request = async (request, signal) => {
    const answer = await send(request, signal);
    if (!isCut || !request.path.includes("/events")) return answer;
    isCut = false;
    throw socketError(request, new Error("reset"));
  };
  await stage.pass(60_000);
  assert.equal(stage.cluster.events.size, 1);
  assert.deepEqual(stage.wrote().filter((line) => line.startsWith("event")).length, 2);
});

test("while the server is away Events wait, no more than are kept, and the newest are dropped", async () => {
  await using stage = new PublishStage();
  let isAway = true;
  stage.cluster.fail = (request) => (isAway ? socketError(request, new Error("away")) : undefined);
  for (let i = 0; i < 2100; i += 1) stage.create(`web-${i}`, refused("NoPool"));
  await stage.pass(60_000);
  assert.equal(stage.dropped, 100);
  isAway = false;
  await stage.clock.advance(60_000);
  assert.equal(stage.cluster.events.size, 2000);
});

function events(fail: (request: KubeRequest) => KubeError): PublishStage["cluster"]["fail"] {
  return (request) => (request.path.includes("/events") ? fail(request) : undefined);
}

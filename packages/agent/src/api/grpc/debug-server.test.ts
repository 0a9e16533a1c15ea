// What somebody on the host is told, over real gRPC, of an agent's real loop on a fake host. The
// client takes no more than gRPC's usual 4 MiB.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { suite, test } from "node:test";

import { createLogger, isEdgeError } from "@fairlead/runtime";
import {
  acceptedPlan,
  type FakeAgent,
  type FakeFailures,
  fakeWorld,
  type FakeWorld,
  laneOf,
  listenerOf,
  startFakeAgent,
  vipOf,
} from "@fairlead/testkit";

import type { RenderedFile } from "../../ports.ts";
import { askDebug, type DebugClient } from "./debug-client.ts";
import { createDebugServer } from "./debug-server.ts";

const LANE = laneOf({ routerId: 51, order: ["a=192.0.2.11", "b=192.0.2.12"] });
const WEB = [
  LANE,
  vipOf("192.0.2.100", LANE),
  ...listenerOf("192.0.2.100:80/tcp", ["192.0.2.21:8080", "192.0.2.22:8080"]),
];

interface Stage extends AsyncDisposable, Pick<DebugClient, "ask"> {
  readonly world: FakeWorld;
  readonly agent: FakeAgent;
  readonly files: RenderedFile[];
}

async function makeStage(failures?: FakeFailures): Promise<Stage> {
  const world = fakeWorld();
  const agent = await startFakeAgent(world, "a", failures);
  const files: RenderedFile[] = [];
  const server = await createDebugServer({
    listen: { host: "127.0.0.1", port: 0 },
    credentials: { kind: "insecure" },
    log: createLogger({ level: "silent", format: "text" }),
    context: () => ({
      nowMs: world.clock.nowMs(),
      view: agent.loop.view(),
      files: () => Promise.resolve(files),
      segment: agent.host.segment,
    }),
  });
  const client = askDebug(server.address);
  return {
    world,
    agent,
    files,
    ask: client.ask,
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
      await agent.loop[Symbol.asyncDispose]();
    },
  };
}

suite("GetPlan", () => {
  test("of an agent without a plan says so", async () => {
    await using stage = await makeStage();
    const { present, resources } = await stage.ask("getPlan", {});
    assert.deepEqual([present, resources], [false, []]);
  });

  test("gives every resource in readable words", async () => {
    await using stage = await makeStage();
    const plan = acceptedPlan("a", WEB);
    stage.agent.loop.accept(plan);
    await stage.world.clock.advance(50);
    const answer = await stage.ask("getPlan", {});
    assert.deepEqual(
      [answer.revision, answer.appliedRevision, answer.kept, answer.epoch],
      [plan.revision, plan.revision, true, BigInt(plan.epoch)],
    );
    const vip = answer.resources.find(({ name }) => name === "vip/192.0.2.100");
    assert.equal(vip?.revision, plan.revisions.get(vipOf("192.0.2.100", LANE).name));
    assert.deepEqual(vip?.content, {
      kind: "vip",
      address: "192.0.2.100",
      prefixLength: 32,
      carrier: { kind: "lane", lane: LANE.lane, resource: LANE.name },
      claims: vipOf("192.0.2.100", LANE).claims,
    });
    const some = await stage.ask("getPlan", { namePrefix: "members/" });
    assert.deepEqual(
      some.resources.map(({ name }) => name),
      ["members/192.0.2.100/tcp/80"],
    );
  });

  test("of thousands of listeners fits, and says how many it left out", async () => {
    await using stage = await makeStage();
    const many = Array.from({ length: 10_000 }, (_, port) =>
      listenerOf(`192.0.2.100:${port + 1}/tcp`, ["192.0.2.21:8080"]),
    ).flat();
    stage.agent.loop.accept(acceptedPlan("a", many));
    const { resources, leftOut } = await stage.ask("getPlan", {});
    assert.ok(resources.length > 1000, `${resources.length} are there`);
    assert.equal(resources.length + leftOut, many.length);
    await stage.world.clock.advance(50);
    const observed = await stage.ask("getObserved", {});
    assert.ok(observed.proved.length > 5000, `${observed.proved.length} are there`);
    assert.equal(observed.proved.length + observed.leftOut, many.length);
  });
});

test("GetObserved gives what the kernel has, what the ledger names and what is proved", async () => {
  await using stage = await makeStage();
  stage.agent.loop.accept(acceptedPlan("a", WEB));
  await stage.world.clock.advance(50);
  await stage.world.clock.advance(300);
  const answer = await stage.ask("getObserved", {});
  assert.ok(
    answer.addresses.some(({ address, link }) => `${address} ${link}` === "192.0.2.100 eth0"),
  );
  assert.equal(answer.keepalivedAlive, true);
  assert.notEqual(answer.generation, "");
  assert.deepEqual(
    answer.ledger.map(({ address, foreign }) => [address, foreign]),
    [["192.0.2.100", false]],
  );
  assert.deepEqual(
    answer.lanes.map(({ name, state }) => [name, state]),
    [[LANE.name, "holder"]],
  );
  const proved = answer.proved.map(({ name, step, evidence }) => [name, step, ...evidence].join());
  assert.deepEqual(proved.toSorted(), [
    `${LANE.name},serving`,
    `listener/192.0.2.100/tcp/80,serving,answering generation`,
    `members/192.0.2.100/tcp/80,serving,answering generation`,
    "vip/192.0.2.100,serving,kernel-address eth0",
  ]);
  assert.ok((answer.ageMs ?? 0n) > 0n, "the look has an age");
  const vips = await stage.ask("getObserved", { namePrefix: "vip/" });
  assert.equal(vips.proved.length, 1);
});

suite("GetLastApply", () => {
  test("before the first pass has no steps", async () => {
    await using stage = await makeStage();
    const { ageMs, steps, applying } = await stage.ask("getLastApply", {});
    assert.deepEqual([ageMs, steps, applying], [undefined, [], false]);
  });

  test("gives each step of the last pass with what became of it", async () => {
    await using stage = await makeStage({
      failing: () => false,
      portTaken: (endpoint) =>
        endpoint.endsWith(":22/tcp") ? { reason: "PortTaken", detail: "sshd has it" } : undefined,
    });
    const ssh = listenerOf("192.0.2.100:22/tcp", ["192.0.2.21:22"]);
    const plan = acceptedPlan("a", [...WEB, ...ssh]);
    stage.agent.loop.accept(plan);
    await stage.world.clock.advance(50);
    const answer = await stage.ask("getLastApply", {});
    assert.equal(answer.revision, plan.revision);
    assert.deepEqual(
      answer.steps.map(({ kind, subject, outcome }) => `${kind} ${subject}: ${outcome}`),
      [
        "serve 2 listeners: partly",
        "serve 0 UDP listeners: done",
        "guard 1 VIP, 0 listeners closed: done",
        "ask 1 address: done",
        "record 1 address in the ledger: done",
        "hold 1 lane, 1 VIP: done",
        "guard 1 VIP, 0 listeners closed: done",
      ],
    );
    assert.deepEqual(
      answer.problems.map(({ name, problem }) => [name, problem?.reason, problem?.detail]),
      [["listener/192.0.2.100/tcp/22", "PortTaken", "sshd has it"]],
    );
  });

  test("says which step failed, and which were skipped for it", async () => {
    let isFull = true;
    await using stage = await makeStage({ failing: (call) => isFull && call.startsWith("ledger") });
    stage.agent.loop.accept(acceptedPlan("a", WEB));
    await stage.world.clock.advance(50);
    const told = async (): Promise<readonly string[]> =>
      (await stage.ask("getLastApply", {})).steps.map(({ kind, outcome }) => `${kind} ${outcome}`);
    const before = ["serve done", "serve done", "guard done", "ask done"];
    assert.deepEqual(await told(), [...before, "record failed", "hold skipped", "guard skipped"]);
    const { steps, troubles } = await stage.ask("getLastApply", {});
    assert.ok(steps[4]?.detail !== "", "a failure says why");
    assert.deepEqual(
      troubles.map(({ reason, code }) => [reason, code.slice(0, 2)]),
      [["DiskUnwritable", "FL"]],
    );
    isFull = false;
    await stage.world.clock.advance(6000);
    assert.deepEqual(
      await told(),
      "serve,guard,ask,record,hold,guard".split(",").map((kind) => `${kind} done`),
    );
  });
});

suite("AskSegment", () => {
  const MAC = "02:00:00:00:99:99";
  const cases: readonly {
    readonly name: string;
    readonly asks: string;
    readonly says: readonly string[];
  }[] = [
    { name: "a stranger by its MAC address", asks: "192.0.2.50", says: ["stranger", MAC, ""] },
    { name: "silence", asks: "192.0.2.51", says: ["nobody", "", ""] },
    { name: "what this host has itself", asks: "192.0.2.100", says: ["here", "", ""] },
    {
      name: "what is no address",
      asks: "192.0.2.500",
      says: ["", "", '"192.0.2.500" is not an address'],
    },
    {
      name: "an address that is in no network of the host's, by its primary device",
      asks: "203.0.113.9",
      says: ["nobody", "", ""],
    },
  ];
  for (const { name, asks, says } of cases) {
    test(`tells ${name}`, async () => {
      await using stage = await makeStage();
      stage.world.segment.setStranger("192.0.2.50", MAC);
      stage.agent.loop.accept(acceptedPlan("a", WEB));
      await stage.world.clock.advance(50);
      const { who, mac, trouble } = await stage.ask("askSegment", { address: asks });
      assert.deepEqual([who, mac, trouble], says);
    });
  }

  test("says why nobody can be asked", async () => {
    await using stage = await makeStage({ failing: (call) => call === "segment.ask" });
    const { who, trouble } = await stage.ask("askSegment", { address: "192.0.2.51" });
    assert.deepEqual([who, trouble], ["", "segment.ask fails now"]);
  });
});

suite("GetFiles", () => {
  test("gives each file with its hash", async () => {
    await using stage = await makeStage();
    const text = "events {}\n";
    stage.files.push({ path: "/run/fairlead/nginx/nginx.conf", content: Buffer.from(text) });
    const { files } = await stage.ask("getFiles", {});
    const [file] = files;
    assert.equal(files.length, 1);
    assert.equal(file?.sha256, createHash("sha256").update(text).digest("hex"));
    assert.deepEqual([file.text, file.bytes, file.cut], [text, 10n, false]);
  });

  test("cuts what is too large, keeps what is small, and hashes the whole", async () => {
    await using stage = await makeStage();
    const large = Buffer.from(`# ${"é".repeat(4_000_000)}`);
    stage.files.push({ path: "/a", content: large }, { path: "/b", content: Buffer.from("b") });
    const [first, second] = (await stage.ask("getFiles", {})).files;
    assert.deepEqual([first?.cut, first?.bytes], [true, BigInt(large.byteLength)]);
    assert.equal(first?.sha256, createHash("sha256").update(large).digest("hex"));
    assert.ok(large.toString().startsWith(first.text), "the cut is the beginning");
    assert.deepEqual([second?.text, second?.cut], ["b", false]);
  });
});

test("a place that is taken is named", async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
  const address = squatter.address();
  assert.ok(address !== null && typeof address === "object");
  const refused = createDebugServer({
    listen: { host: "127.0.0.1", port: address.port },
    credentials: { kind: "insecure" },
    log: createLogger({ level: "silent", format: "text" }),
    context: () => assert.fail("nobody asks"),
  });
  await assert.rejects(refused, (error) => isEdgeError(error, "PORT_TAKEN"));
  squatter.close();
});

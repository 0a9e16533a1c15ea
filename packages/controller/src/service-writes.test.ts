// What the API server is written to for a Service does not depend on how many agents serve it: the
// real loop and the real publisher over a cluster in memory, with agents that report one after
// another, so that whatever each of them adds to what is known would show.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  agentHello,
  agentProof,
  claimGone,
  claimSeen,
  type Delivered,
  makeClaim,
  makeCycleStage,
  ROUND_MS,
} from "@fairlead/testkit";

import { MemoryCluster } from "./kube/memory-cluster.ts";
import { createKubePublisher } from "./publish/kube/kube-publisher.ts";
import { writeLine } from "./publish/kube/publish-lines.ts";

const SERVICES = ["dns", "mail", "web"];
/** Hosts begin to serve soon after each other. */
const SOON_MS = 100;
/** Longer than words about a Service wait for others: each report is judged by itself. */
const APART_MS = 5000;

/** Writes in each part of the life of three Services, by kind and name. */
interface Written {
  readonly made: readonly string[];
  readonly lived: readonly string[];
  readonly deleted: readonly string[];
}

async function writesWith(agents: readonly string[]): Promise<Written> {
  await using stage = makeCycleStage({
    publisher: {
      name: "kubernetes",
      publish: (publication) => publisher.publish(publication),
    },
  });
  const { clock, delivered } = stage;
  const cluster = new MemoryCluster(clock);
  await using publisher = createKubePublisher({
    client: cluster.client,
    clock,
    random: () => 0.5,
    book: cluster.book,
    instance: "controller-0",
    onTrouble: ({ kind }) => assert.fail(kind),
  });
  const written = (): readonly string[] => cluster.writes.splice(0).map(writeLine).toSorted();
  const reportAll = async (pauseMs = APART_MS): Promise<void> => {
    for (const agent of agents) {
      stage.say(agentProof(delivered.at(-1), agent, holdsFirst(delivered.at(-1), agent)));
      await clock.advance(pauseMs);
    }
  };

  await stage.cycle.start();
  stage.say(...agents.map((agent, index) => agentHello(agent, 11 + index)));
  await clock.advance(ROUND_MS);
  const claims = SERVICES.map((title) => makeClaim(title, { uid: cluster.create(title) }));
  stage.say(...claims.map(claimSeen));
  await clock.advance(ROUND_MS);
  await reportAll(SOON_MS);
  await reportAll();
  for (const title of SERVICES) assert.match(stage.line(title) ?? "", /^ready /);
  const first = written();

  const others = claims.map((claim) => {
    const { listeners } = makeClaim(claim.name, { members: ["10.1.0.2:8080"] });
    return { ...claim, listeners };
  });
  stage.say(...others.map(claimSeen));
  await clock.advance(ROUND_MS);
  await reportAll();
  const lived = written();

  for (const title of SERVICES) cluster.delete(title);
  stage.say(...others.map(claimGone));
  await clock.advance(ROUND_MS);
  await reportAll();
  await reportAll();
  for (const title of SERVICES) assert.equal(cluster.record(title), undefined, title);
  return { made: first, lived, deleted: written() };
}

/** Of each lane the first in its order holds the VIPs. */
function holdsFirst(
  delivered: Delivered | undefined,
  agent: string,
): Parameters<typeof agentProof>[2] {
  const plan = [...(delivered?.plans.values() ?? [])].find((one) => one.agent === agent);
  return (resource) => {
    if (resource.kind !== "vip" || resource.carrier.kind !== "lane") return true;
    const lane = plan?.resources.get(resource.carrier.resource);
    return lane?.kind === "lane" && lane.order[0]?.agent === agent;
  };
}

test("a Service costs as many writes with three agents as with one", async () => {
  const one = await writesWith(["lb-1"]);
  assert.deepEqual(one.made, [
    ...SERVICES.map((title) => `event ${title} AddressAllocated`),
    ...SERVICES.map((title) => `hold ${title}`),
    // What it waits for, and then its address.
    ...SERVICES.flatMap((title, index) => [
      `status ${title}`,
      `status ${title} 192.0.2.10${index}`,
    ]),
  ]);
  assert.deepEqual(one.lived, []);
  assert.deepEqual(one.deleted, [
    ...SERVICES.map((title) => `event ${title} AddressReleased`),
    ...SERVICES.map((title) => `release ${title}`),
  ]);
  assert.deepEqual(await writesWith(["lb-1", "lb-2", "lb-3"]), one);
});

// How often the controller writes to the API server for one Service, by its audit log: the same on
// one host as on four, as hosts are none of the API server's business.

import assert from "node:assert/strict";

import type { KubeObject } from "@fairlead/testkit";

import {
  addService,
  CLUSTER,
  serviceTarget,
  timesTold,
  untilTold,
  writtenByController,
} from "./stage/cluster-traces.ts";
import { statusOf } from "./stage/cluster-views.ts";
import type { Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

for (const balancers of [1, 4]) {
  story(
    `however many hosts there are, a Service costs four writes: ${balancers}`,
    { ...CLUSTER, balancers },
    async (stage) => {
      const { kube, cluster } = stage.api();
      await untilAllSaid(stage, await addService(kube, { name: "first" }));
      const sinceMs = Date.now();
      // What is proved before the first status is written spares that write.
      const agents = stage.balancers.map(({ name }) => stage.agent(name));
      await Promise.all(agents.map((agent) => agent.freeze()));
      const web = await addService(kube, { name: "web" });
      await untilCondition(stage, web, "Serving False ");
      for (const agent of agents) agent.resume();
      await untilAllSaid(stage, web);
      assert.equal(await timesTold(kube, web, "VipMoved"), 0);
      assert.deepEqual(
        (await writtenByController(cluster, sinceMs)).map(withoutSuffix).toSorted(),
        [
          "create events default/web",
          "patch services default/web",
          "patch services/status default/web",
          "patch services/status default/web",
        ],
      );
    },
  );
}

/** It is served, and all is written that there is to write about it. */
async function untilAllSaid(stage: Stage, object: KubeObject): Promise<void> {
  await stage.served(`default/${object.metadata.name}`);
  await untilCondition(stage, object, "Serving True ");
  await untilTold(stage.api().kube, object, { reason: "AddressAllocated" });
}

async function untilCondition(stage: Stage, object: KubeObject, wanted: string): Promise<void> {
  const target = serviceTarget(object.metadata.name);
  await stage
    .api()
    .kube.until(`its status says ${wanted}`, target, (seen) =>
      statusOf(seen)?.conditions.some((one) => one.startsWith(wanted)) ? true : undefined,
    );
}

/** Names of Events have a number behind the Service's. */
function withoutSuffix(written: string): string {
  return written.replace(/\.[0-9a-f]+$/u, "");
}

// Addresses that a cluster has itself: what a source says of them as nodes come, change and go, and
// of where its API server is. The stub on a fake clock.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { makeStubStage } from "@fairlead/testkit";

import { createKubeClient } from "../../kube/kube-client.ts";
import { SAMPLE_SETTINGS, sampleNode, sampleService } from "../sample-objects.ts";
import { barredAddresses } from "./barred.ts";
import { createKubeSource } from "./kube-source.ts";

suite("the addresses that a cluster has itself", () => {
  test("are told before any claim is, and again when a node has another one or goes", async () => {
    await using stage = await makeStubStage();
    const { stub, access, clock } = stage;
    stub.put(sampleService());
    stub.put(sampleNode("n1", { InternalIP: "10.0.0.5", Hostname: "n1.example" }));
    await using source = createKubeSource({
      client: createKubeClient({ access, clock, userAgent: "story" }),
      clock,
      random: () => 0.5,
      settings: { ...SAMPLE_SETTINGS, members: "nodes" },
      lookUp: () => Promise.resolve([]),
      cluster: "lab",
    });
    const told: string[] = [];
    let isClaimed = false;
    let isListed = false;
    const started = source.start((facts) => {
      for (const fact of facts) {
        if (fact.kind === "claim-seen") isClaimed = true;
        if (fact.kind === "source-listed") isListed = true;
        if (fact.kind !== "addresses-barred") continue;
        assert.ok(told.length > 0 || !isClaimed, "it comes first");
        told.push(Array.from(fact.barred, ([at, whose]) => `${at} ${whose}`).join(", "));
      }
    });
    const API = `${new URL(access.server).hostname} is an address of the API server`;
    const until = (count: number): Promise<void> =>
      stage.until(
        () => isListed && isClaimed && told.length === count,
        () => `told ${count} times: ${told.join("; ")}`,
      );
    await until(1);
    stub.put(sampleNode("n1", { InternalIP: "10.0.0.6" }));
    await until(2);
    stub.remove("Node", "", "n1");
    await until(3);
    await started;
    assert.deepEqual(told, [
      `10.0.0.5 is an address of node n1, ${API}`,
      `10.0.0.6 is an address of node n1, ${API}`,
      API,
    ]);
  });

  test("are the first node's by name where two nodes, or an API server, have one", () => {
    const nodes = ["n2", "n1"].map((name) => ({
      metadata: { name },
      addresses: [{ type: "Hostname", address: "10.0.0.5" }],
      ready: true,
    }));
    const barred = barredAddresses(nodes, ["10.0.0.5 6443", "2001:db8::1 6443"]);
    assert.deepEqual(
      [...barred],
      [
        ["10.0.0.5", "is an address of node n1"],
        ["2001:db8::1", "is an address of the API server"],
      ],
    );
  });
});

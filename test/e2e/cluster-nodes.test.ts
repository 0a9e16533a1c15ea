// Members that are nodes of a cluster, reached by their NodePorts from outside of it: nodes that
// flap, leave and are kept out, and the one command that a single host needs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createLab, monotonicMs, startMember } from "@fairlead/lab";
import type { KubeObject } from "@fairlead/testkit";

import { addApiHost, KUBECONFIG } from "./stage/api-host.ts";
import { addReadyNode, KINDS, sayReady } from "./stage/cluster-objects.ts";
import { untilAddresses, untilGone } from "./stage/cluster-views.ts";
import { startRun } from "./stage/one-host.ts";
import { claimOf, program, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers } from "./stage/visitor.ts";

const NODE_PORT = 30_080;
/** A node that is not Ready stays a member for five seconds; clocks and looks take some of it. */
const GRACE_MS_MIN = 4500;

const WEB: KubeObject = {
  ...KINDS.service,
  metadata: { name: "web" },
  spec: {
    type: "LoadBalancer",
    selector: { app: "web" },
    ports: [{ name: "http", port: 80, nodePort: NODE_PORT }],
  },
};

function untilMembers(stage: Stage, count: number): Promise<true> {
  return stage.until(`there are ${count} members`, (list) =>
    claimOf(list, "default/web")?.members === count ? true : undefined,
  );
}

story(
  "nodes that flap stay members, and those that leave go",
  { source: "kubernetes" },
  async (stage) => {
    const { kube } = stage.api();
    const [one, two] = stage.members;
    assert.ok(one !== undefined && two !== undefined);
    for (const member of [one, two]) {
      await startMember(member, { tcpPorts: [NODE_PORT] });
      await addReadyNode(kube, member.name, member.address);
    }
    await kube.create(WEB);
    const { address } = await stage.served("default/web");
    await untilAddresses(kube, "web", [address]);
    await untilMembers(stage, 2);
    const both = await answers(stage.client, { address, port: 80 });
    assert.deepEqual(Object.keys(both), ["member1", "member2"]);

    await sayReady(kube, { ...KINDS.node, name: one.name }, false);
    await sayReady(kube, { ...KINDS.node, name: one.name }, true);
    const label = "node.kubernetes.io/exclude-from-external-load-balancers";
    const target = { ...KINDS.node, name: two.name };
    await kube.patch(target, { metadata: { labels: { [label]: "" } } });
    await untilMembers(stage, 1);
    await stage.inSync();
    const kept = await answers(stage.client, { address, port: 80 });
    assert.deepEqual(Object.keys(kept), ["member1"], "the one that flapped, not the one kept out");
    await kube.patch(target, { metadata: { labels: { [label]: null } } });
    await untilMembers(stage, 2);

    const sinceMs = monotonicMs();
    await sayReady(kube, { ...KINDS.node, name: one.name }, false);
    await untilMembers(stage, 1);
    const tookMs = monotonicMs() - sinceMs;
    assert.ok(tookMs >= GRACE_MS_MIN, `it left after ${Math.round(tookMs)} ms`);
    await stage.inSync();
    const left = await answers(stage.client, { address, port: 80 });
    assert.deepEqual(Object.keys(left), ["member2"]);
    await kube.remove(target);
    await untilMembers(stage, 0);
  },
);

test("one command on a host outside of the cluster serves what kubectl exposes", async () => {
  await using lab = await createLab();
  const add = (name: string, last: number) =>
    lab.addHost(name, { address: `10.77.0.${last}/24`, gateway: "10.77.0.1" });
  const [host, member, client] = await Promise.all([
    add("lb1", 11),
    add("member1", 21),
    add("client", 31),
  ]);
  await host.output("mount", ["-t", "tmpfs", "tmpfs", "/var/lib"]);
  const { kube, kubectl } = await addApiHost(lab, host);
  await addReadyNode(kube, "worker1", member.address);
  const pool = "default=10.77.0.100-10.77.0.110";
  const flags = ["--link", "eth0", "--pool", pool];
  const running = await startRun(host, flags, `--kubeconfig=${KUBECONFIG}`);

  await kubectl(["create", "deployment", "web", "--image=registry.invalid/web"]);
  await kubectl(["expose", "deployment", "web", "--type=LoadBalancer", "--port=80"]);
  const nodePort = await kube.until(
    "it has a NodePort",
    { ...KINDS.service, name: "web" },
    (object) => {
      const spec = object?.["spec"] as {
        readonly ports?: readonly { readonly nodePort?: number }[];
      };
      return spec.ports?.[0]?.nodePort;
    },
  );
  await startMember(member, { tcpPorts: [nodePort] });
  const { addresses } = await untilAddresses(kube, "web", "some");
  assert.deepEqual(addresses, ["10.77.0.100"]);
  const byMember = await answers(client, { address: "10.77.0.100", port: 80 });
  assert.deepEqual(Object.keys(byMember), ["member1"]);
  const status = await host.exec(program("fairlead"), ["status"], { timeoutMs: 30_000 });
  assert.equal(status.code, 0, `${status.stdout}${status.stderr}`);
  assert.match(status.stdout, /default\/web +10\.77\.0\.100 +80\/TCP +lb1 +ready/);

  await kubectl(["delete", "service", "web"]);
  await untilGone(kube, "web");
  const { code, forced } = await running.stop("SIGTERM", 20_000);
  assert.deepEqual([code, forced], [0, false], running.output());
  assert.deepEqual(host.pids(), [], "no program of it is left");
});

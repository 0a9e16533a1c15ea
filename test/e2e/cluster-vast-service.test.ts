// A Service with ten times as many endpoints as a listener may have members: it is served by those
// that fit, says how many were left out, and holds nobody else up.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";
import type { KubeObject } from "@fairlead/testkit";

import { KINDS } from "./stage/cluster-objects.ts";
import { addService, changePorts, CLUSTER } from "./stage/cluster-traces.ts";
import { untilAddresses } from "./stage/cluster-views.ts";
import { readSamples } from "./stage/linted-metrics.ts";
import { HTTP, service } from "./stage/manifests.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers, visit } from "./stage/visitor.ts";

const SLICES = 10;
/** As many as an API server takes in one. */
const ENDPOINTS_EACH = 1000;
const MEMBERS_MAX = 1024;
/** All endpoints are addresses of the first member. */
const NETWORK = "10.88.0.0/16";
const NAME = "vast";
/**
 * Agents are told so often that their controller lives. The goal of the bench is 50 ms; here the
 * same cores run a cluster and its hosts, and each of these holds up the others.
 */
const BLOCKED_MS_MAX = 3000;
/** Ten slices of a thousand endpoints, each read twice. */
const TAKEN_MS_MAX = 30_000;

story(
  "a Service of ten thousand endpoints has 1024 members and holds nobody up",
  CLUSTER,
  async (stage) => {
    const { kube } = stage.api();
    await leadToMember(stage);
    await addService(kube, { name: "web" });
    const { address } = await stage.served("default/web");
    await using probe = await startProbe(stage.client, { address, port: 80 });
    await probe.waitForAnswer(10_000, 0);
    // Each look begins the measuring anew.
    await blockedMs(stage);

    await addService(kube, { name: NAME, members: [] });
    const slices = Array.from({ length: SLICES }, (_, at) => sliceOf(at, true));
    await Promise.all(slices.map((slice) => kube.create(slice)));
    await untilLeftOut(stage, SLICES * ENDPOINTS_EACH - MEMBERS_MAX);
    const vast = await stage.served(`default/${NAME}`, TAKEN_MS_MAX);
    await untilAddresses(kube, NAME, [vast.address]);
    const byMember = await answers(stage.client, { address: vast.address, port: 80 });
    assert.deepEqual(Object.keys(byMember), ["member1"]);
    const { stdout } = await stage.fairlead("explain", `default/${NAME}`);
    assert.match(stdout, /8976 members above 1024 left out/);

    // One pod of each slice ends, while others get a port and an address.
    const changes = Array.from({ length: SLICES }, (_, at) => {
      const { metadata, ...rest } = sliceOf(at, false);
      return kube.patch({ ...KINDS.endpointSlice, name: metadata.name }, rest);
    });
    await changePorts(kube, "web", [HTTP, { name: "admin", port: 8443, targetPort: 8081 }]);
    await addService(kube, { name: "late" });
    const late = await stage.served("default/late", TAKEN_MS_MAX);
    await untilAddresses(kube, "late", [late.address]);
    await Promise.all(changes);
    await untilLeftOut(stage, SLICES * (ENDPOINTS_EACH - 1) - MEMBERS_MAX);
    await stage.inSync();
    const ports = {
      [`${address}:80`]: 8080,
      [`${address}:8443`]: 8081,
      [`${late.address}:80`]: 8080,
    };
    const said = await visit(stage.client, Object.keys(ports));
    for (const [place, port] of Object.entries(ports)) {
      assert.match(said[place] ?? "", new RegExp(`^member\\d ${port} `), place);
    }

    const longestMs = await blockedMs(stage);
    assert.ok(longestMs < BLOCKED_MS_MAX, `the controller was not free for ${longestMs} ms`);
    const { failed } = await probe.stop();
    assert.equal(failed, 0, "the Service beside it lost nothing");
  },
);

/** The first member answers at every address of the network, and hosts find it there. */
async function leadToMember({ members, balancers }: Stage): Promise<void> {
  const [member] = members;
  assert.ok(member !== undefined);
  await member.output("ip", ["route", "add", "local", NETWORK, "dev", "lo"]);
  await Promise.all(
    balancers.map((host) => host.output("ip", ["route", "add", NETWORK, "via", member.address])),
  );
}

/** Waits until as many are members as may be, and exactly so many are said to be left out. */
async function untilLeftOut(stage: Stage, count: number): Promise<void> {
  const wanted = `port "http": ${count} members above ${MEMBERS_MAX} left out`;
  await stage.until(
    `${count} members are left out`,
    (list) => {
      const { members, remarks = [] } = claimOf(list, `default/${NAME}`) ?? {};
      const isSaid = remarks.some((one) => one.reason === "BadMember" && one.detail === wanted);
      return (isSaid && members === MEMBERS_MAX) || undefined;
    },
    TAKEN_MS_MAX,
  );
}

/** How long the controller's event loop was not free at most since the last look. */
async function blockedMs({ control }: Stage): Promise<number> {
  const samples = await readSamples(control, 7704, "fairlead_event_loop_delay_seconds");
  const longest = samples.find(({ labels }) => labels["percentile"] === "100");
  assert.ok(longest !== undefined);
  return 1000 * longest.value;
}

/** @param isWhole whether all endpoints are ready; else all but the first one. */
function sliceOf(at: number, isWhole: boolean): KubeObject {
  const [, slice] = service({ name: NAME });
  assert.ok(slice !== undefined);
  const { metadata, ...rest } = slice as KubeObject;
  const endpoints = Array.from({ length: ENDPOINTS_EACH }, (_, each) => ({
    addresses: [`10.88.${4 * at + Math.floor(each / 250)}.${1 + (each % 250)}`],
    conditions: { ready: isWhole || each > 0 },
  }));
  return { ...rest, metadata: { ...metadata, name: `${NAME}-${at}` }, endpoints };
}

// A controller that is killed, or ended in order, while the ports of a Service change and while its
// address is moved on purpose: the next life finishes what the one before began, the Service keeps
// its address, and who asks it notices no more than with a controller that lives on.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import { agentIs } from "./stage/agent-is.ts";
import type { ListJson } from "./stage/asker.ts";
import { KINDS } from "./stage/cluster-objects.ts";
import {
  addressesShown,
  addService,
  changePorts,
  CLUSTER,
  timesTold,
  untilTold,
} from "./stage/cluster-traces.ts";
import { untilAddresses } from "./stage/cluster-views.ts";
import { endSoon, letNothingGo, type Round, roundsOf } from "./stage/ends-soon.ts";
import { HTTP, type ServicePort } from "./stage/manifests.ts";
import { onlyMovesEnd } from "./stage/only-moves-end.ts";
import { createSeeded } from "./stage/seeded.ts";
import { plansIn } from "./stage/settled.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers, visit } from "./stage/visitor.ts";

const chance = createSeeded();
const SETTLED_MS_MAX = 40_000;
const MOVE_MS_MAX = 5_000;
/** A SYN that came to the host that just gave the address up is sent again after a second. */
const ANSWER_MS_MAX = 3_000;

const ADMIN: ServicePort = { name: "admin", port: 53, targetPort: 8081 };
const DNS: ServicePort = { name: "dns", port: 53, targetPort: 5353, protocol: "UDP" };
/** A port comes, changes its protocol, changes it back, and goes. */
const PORTS: readonly (readonly ServicePort[])[] = [
  [HTTP, ADMIN],
  [HTTP, DNS],
  [HTTP, ADMIN],
  [HTTP],
];

/** Where a change has come to; waits until it is there. */
type Phase = (
  stage: Stage,
  before: { list: ListJson; holder: string; address: string },
) => Promise<unknown>;

const CHANGE: readonly Phase[] = [
  // It is said, and that is all.
  () => Promise.resolve(),
  hostsAreTold,
];

const MOVE: readonly { readonly phase: Phase; readonly isDeaf?: boolean }[] = [
  // Who is to take it hears nothing of it in that life, nor from it later.
  { phase: hostsAreTold, isDeaf: true },
  {
    phase: ({ recorder }, { address, holder }) =>
      recorder.waitUntil(
        () => !recorder.holders(address).includes(holder),
        MOVE_MS_MAX,
        `${holder} lets it go`,
      ),
  },
];

story(
  `the controller ends while ports change and addresses move (FAIRLEAD_SEED=${chance.seed})`,
  { ...CLUSTER, balancers: 2 },
  async (stage) => {
    const { kube } = stage.api();
    using seen = await kube.watch(KINDS.service, { namespace: "default" });
    const web = await addService(kube, { name: "web" });
    const { address } = await stage.served("default/web");
    await stage.backed();
    await untilAddresses(kube, "web", [address]);
    await untilTold(kube, web, { reason: "AddressAllocated" });
    await using probe = await startProbe(stage.client, {
      address,
      port: 80,
      timeoutMs: ANSWER_MS_MAX,
      durationMs: 115_000,
    });
    await probe.waitForAnswer(MOVE_MS_MAX);

    for (const [index, { phase, ending }] of roundsOf(CHANGE, chance).entries()) {
      const ports = PORTS[index] ?? [];
      const { holder, list } = await atRest(stage);
      await changePorts(kube, "web", ports);
      await phase(stage, { list, holder, address });
      await endSoon(stage.controller, ending, chance);
      await areServed(stage, address, ports);
    }
    for (const round of roundsOf(MOVE, chance)) await move(stage, address, round);
    await atRest(stage);
    assert.deepEqual(addressesShown(seen, web), [address], "one, the same all the time");
    assert.equal(await timesTold(kube, web, "AddressAllocated"), 1);
    assert.equal(await timesTold(kube, web, "AddressReleased"), 0);
    letNothingGo(stage.controller);
    onlyMovesEnd(stage, address, await probe.stop());
  },
);

/** Moves the address to the other host; the controller ends in the middle of it. */
async function move(
  stage: Stage,
  address: string,
  { phase: { phase, isDeaf = false }, ending }: Round<(typeof MOVE)[number]>,
): Promise<void> {
  const { holder, list } = await atRest(stage);
  const to = stage.balancers.find(({ name }) => name !== holder)?.name ?? "";
  const agent = stage.agent(to);
  if (isDeaf) await agent.freeze();
  // Whoever waits for its end is told of it by the next life.
  const moved = stage.fairlead("move", address, "--to", to);
  await phase(stage, { list, holder, address });
  await endSoon(stage.controller, ending, chance);
  if (isDeaf) {
    await agent.kill();
    await agent.start();
  }
  const { code, stdout, stderr } = await moved;
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.match(stdout, new RegExp(`^move: lane .* is held by ${to} now with 1 address; `, "m"));
  assert.equal((await atRest(stage)).holder, to);
}

/** Waits until nothing is under way any more, on any host. */
async function atRest(stage: Stage): Promise<{ holder: string; list: ListJson }> {
  for (const { name } of stage.balancers) await agentIs(stage, name, "connected", SETTLED_MS_MAX);
  await stage.backed(SETTLED_MS_MAX);
  const { holder } = await stage.served("default/web", SETTLED_MS_MAX);
  return { holder, list: await stage.asker.list() };
}

async function hostsAreTold(stage: Stage, before: { readonly list: ListJson }): Promise<void> {
  const plans = plansIn(before.list).join();
  await stage.until("hosts are told", (list) =>
    plansIn(list).join() === plans ? undefined : true,
  );
}

async function areServed(
  stage: Stage,
  address: string,
  ports: readonly ServicePort[],
): Promise<void> {
  const texts = ports.map(({ port, protocol = "TCP" }) => `${port}/${protocol}`);
  const wanted = texts.toSorted().join();
  await stage.until(
    `it is served on ${wanted}`,
    (list) => {
      const claim = claimOf(list, "default/web");
      const isServed = claim?.state === "ready" && claim.remarks.length === 0;
      return isServed && claim.ports.toSorted().join() === wanted ? true : undefined;
    },
    SETTLED_MS_MAX,
  );
  await atRest(stage);
  for (const { port, protocol = "TCP", targetPort } of ports) {
    const target = `${address}:${port}`;
    if (protocol === "TCP") {
      const said = (await visit(stage.client, [target]))[target] ?? "";
      assert.match(said, new RegExp(`^member\\d ${targetPort} `));
    } else {
      const byMember = await answers(stage.client, { address, port, protocol: "udp" });
      assert.equal(Object.keys(byMember).length, 1, "one client port is answered by one member");
    }
  }
}

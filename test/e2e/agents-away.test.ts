// Agents that are away while their hosts serve: one stands still until what it proved is in doubt
// and another controller is there, and one has no memory left. Nobody notices, and the agent that
// is back takes the data plane over as it is.

import assert from "node:assert/strict";

import { type Host, type Probe, startProbe } from "@fairlead/lab";

import { agentIs } from "./stage/agent-is.ts";
import { commandOf, daemonsOf, readOrNothing, untilHost } from "./stage/daemons.ts";
import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf, type Served, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

const ANSWER_MS_MAX = 5_000;
/** What an agent proved is in doubt after 60 s without it, or up to 8 s later. */
const DOUBTED_MS_MAX = 90_000;
/** An agent that is silent is missed after two questions, 15 s. */
const MISSED_MS_MAX = 30_000;
/** Longer than the story. */
const PROBE_MS = 150_000;
/** The agent has no memory for what it is asked well before this. */
const ASKED_MS_MAX = 20_000;

story(
  "an agent stands still until it is doubted, and its controller starts anew: it goes on as it was",
  {},
  async (stage) => {
    const { address, holder } = await served(stage);
    await using probe = await clientOf(stage, address);
    const before = daemonsOf(stage.lab.host(holder));
    const moves = stage.recorder.history().length;

    await stage.agent(holder).freeze();
    await stage.until(
      "its proof is in doubt",
      (list) => (servingOf(list) === "Unknown AgentUnreachable" ? true : undefined),
      DOUBTED_MS_MAX,
    );
    assert.deepEqual(await stage.served("default/web"), { address, holder }, "it is told as ever");
    await stage.controller.kill();
    await stage.controller.start();
    await stage.until("the new controller has heard of all others", ({ agents, claims }) => {
      const heard = agents.filter(({ state }) => state === "connected").length;
      return heard === stage.balancers.length - 1 && claims.length === 1 ? true : undefined;
    });
    await stage.inSync();
    const told = claimOf(await stage.asker.list(), "default/web")?.addresses[0];
    assert.deepEqual([told?.address, told?.published], [address, true], "it is told all the same");
    assert.deepEqual(stage.recorder.holders(address), [holder]);

    stage.agent(holder).resume();
    await agentIs(stage, holder, "connected", MISSED_MS_MAX);
    await stage.until("it is proved again", (list) =>
      servingOf(list) === "True Proved" ? true : undefined,
    );
    assert.deepEqual(await stage.served("default/web"), { address, holder });
    assert.deepEqual(daemonsOf(stage.lab.host(holder)), before, "adopted, without a reload");
    noneFailed(await probe.stop());
    assert.equal(stage.recorder.history().length, moves, "no address comes or goes");
  },
);

story("an agent has no memory left: nobody notices, and the next one adopts", {}, async (stage) => {
  const { address, holder } = await served(stage);
  await using probe = await clientOf(stage, address);
  const host = stage.lab.host(holder);
  const agent = stage.agent(holder);
  const before = daemonsOf(host);
  const moves = stage.recorder.history().length;
  const programs = programsOf(host);

  agent.abandon();
  await takeMemory(host);
  await untilHost(host, "the agent has ended by itself", () => !agent.isRunning());
  assert.match(agent.lines().join("\n"), /out of memory|bad_alloc/i);
  await stage.until("the agent is missed", ({ agents }) =>
    agents.find(({ name }) => name === holder)?.state === "disconnected" ? true : undefined,
  );
  assert.deepEqual(await stage.served("default/web"), { address, holder });

  await agent.start();
  await agentIs(stage, holder, "connected", MISSED_MS_MAX);
  assert.deepEqual(await stage.served("default/web"), { address, holder });
  assert.deepEqual(daemonsOf(host), before, "the data plane is adopted, without a reload");
  await untilHost(host, "nothing of the dead agent is left", () => programsOf(host) === programs);
  noneFailed(await probe.stop());
  assert.equal(stage.recorder.history().length, moves, "no address comes or goes");
});

async function served(stage: Stage): Promise<Served> {
  await stage.write("web.yaml", service({ name: "web" }));
  return await stage.served("default/web");
}

async function clientOf(stage: Stage, address: string): Promise<Probe> {
  const asked = { address, port: 80, everyMs: 20, durationMs: PROBE_MS };
  const probe = await startProbe(stage.client, asked);
  await probe.waitForAnswer(ANSWER_MS_MAX);
  return probe;
}

function servingOf(list: Parameters<typeof claimOf>[0]): string {
  const { conditions = [] } = claimOf(list, "default/web") ?? {};
  const serving = conditions.find(({ type }) => type === "Serving");
  return `${serving?.status} ${serving?.reason}`;
}

/** Asks for pages of metrics on many connections, and keeps them waiting until their end. */
const ASK_AND_NEVER_READ = `
const request = "GET /metrics HTTP/1.1\\r\\nHost: here\\r\\n\\r\\n".repeat(500);
for (let one = 0; one < 200; one++) {
  require("net").connect(7714, "127.0.0.1").on("error", () => undefined).write(request);
}
`;

/** Its address space may grow no more; what it is asked for makes it try. */
async function takeMemory(host: Host): Promise<void> {
  const pid = agentOf(host);
  const [, kilobytes] =
    /^VmSize:\s+(\d+) kB$/m.exec(readOrNothing(host.outsidePath(`/proc/${pid}/status`))) ?? [];
  const most = String(1024 * Number(kilobytes));
  await host.output("prlimit", ["--pid", String(pid), `--as=${most}`, "--core=0"]);
  await host.exec(process.execPath, ["-e", ASK_AND_NEVER_READ], { timeoutMs: ASKED_MS_MAX });
}

function agentOf(host: Host): number {
  const isAgent = (pid: number): boolean =>
    commandOf(host, pid).includes("packages/agent/src/main.ts");
  const [pid, ...others] = host.pids().filter(isAgent);
  assert.ok(pid !== undefined && others.length === 0, "one agent runs");
  return pid;
}

/** What runs on the host, each as often as it does. */
function programsOf(host: Host): string {
  const commands = host.pids().map((pid) => commandOf(host, pid));
  return commands.toSorted().join("\n");
}

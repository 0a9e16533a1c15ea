// Pools whose addresses are each host's own: a Service has one of every host, all of them answer,
// a host that dies takes its own along and brings it back, one that is withdrawn says so, and one
// whose agent was killed loses it by itself.

import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";

import { type Host, monotonicMs } from "@fairlead/lab";

import { pool, service } from "./stage/manifests.ts";
import { program, type Stage, STATE_DIR } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { visit } from "./stage/visitor.ts";

const ADDRESSES = ["10.77.0.120", "10.77.0.121", "10.77.0.122"];
/** From the end of `stop --withdraw` until the status has the address no more. */
const GOODBYE_MS_MAX = 2000;
/** The life that an address has at any time while its agent lives, in s. */
const LIFE_S = { min: 30, max: 60 } as const;
/** From the death of an agent until its addresses are gone, in ms. */
const GONE_MS = { min: 30_000, max: 60_000 } as const;
/** The kernel looks for what has ended at whole seconds of its own. */
const KERNEL_MS_MAX = 2000;
const LOOK_EVERY_MS = 500;

story(
  "each host has an address of its own, and one that dies takes and brings back its own alone",
  { pools: [] },
  async (stage) => {
    await serveOnHosts(stage);
    for (const [index, host] of stage.balancers.entries()) {
      assert.deepEqual(stage.recorder.holders(ADDRESSES[index] ?? ""), [host.name]);
    }
    assert.deepEqual(await silent(stage), []);

    const lost = stage.lab.host("lb2");
    stage.agent("lb2").abandon();
    await lost.crash();
    await stage.until(
      "the dead host is known",
      (list) =>
        list.agents.some(({ name, state }) => name === "lb2" && state === "disconnected") ||
        undefined,
    );
    assert.deepEqual(await silent(stage), ["10.77.0.121:80"]);
    await published(stage, ADDRESSES);

    await lost.boot();
    await stage.agent("lb2").start();
    await stage.recorder.waitForHolder("10.77.0.121", 15_000);
    assert.deepEqual(stage.recorder.holders("10.77.0.121"), ["lb2"]);
    await stage.inSync();
    assert.deepEqual(await silent(stage), []);
  },
);

story(
  "the address of a host leaves the status with a withdrawal, stays with a stop, and comes back",
  { pools: [] },
  async (stage) => {
    await serveOnHosts(stage);
    const host = stage.lab.host("lb2");
    const stop = async (...how: readonly string[]): Promise<void> => {
      stage.agent("lb2").abandon();
      const args = ["stop", ...how, `--state-dir=${STATE_DIR}`];
      await host.output(program("fairlead-agent"), args);
    };

    await stop("--withdraw");
    await published(stage, ["10.77.0.120", "10.77.0.122"], GOODBYE_MS_MAX);
    assert.deepEqual(await remarksOf(stage, "lb2"), ["AgentWithdrawn"]);
    await stage.agent("lb2").start();
    await published(stage, ADDRESSES);
    assert.deepEqual(await silent(stage), []);

    await stop();
    await stage.until(
      "the host's agent is gone",
      ({ agents }) =>
        agents.some(({ name, state }) => name === "lb2" && state === "disconnected") || undefined,
    );
    assert.deepEqual(await remarksOf(stage, "lb2"), ["AgentUnreachable"]);
    await published(stage, ADDRESSES);
    assert.deepEqual(await silent(stage), [], "its data plane goes on");
    await stage.agent("lb2").start();
    await stage.inSync();
  },
);

story(
  "an address is renewed for as long as its agent lives, and goes by itself when that is killed",
  { pools: [] },
  async (stage) => {
    await serveOnHosts(stage);
    const [living, killed] = stage.balancers;
    assert.ok(living !== undefined && killed !== undefined);
    const rest = await lifeOf(killed, "10.77.0.121");
    assert.ok(rest >= LIFE_S.min && rest <= LIFE_S.max, `${rest} s are left`);

    await stage.agent("lb2").kill();
    const killedMs = monotonicMs();
    const lives: number[] = [];
    while (stage.recorder.holders("10.77.0.121").length > 0) {
      assert.ok(monotonicMs() - killedMs < GONE_MS.max + KERNEL_MS_MAX, "it has stayed");
      lives.push(await lifeOf(living, "10.77.0.120"));
      await wait(LOOK_EVERY_MS);
    }
    const gone = stage.recorder.history().findLast(({ address }) => address === "10.77.0.121");
    assert.deepEqual([gone?.host, gone?.event], ["lb2", "removed"]);
    const tookMs = (gone?.atMs ?? 0) - killedMs;
    assert.ok(tookMs >= GONE_MS.min, `gone after ${Math.round(tookMs)} ms`);

    const told = lives.join(" ");
    assert.ok(Math.max(...lives) <= LIFE_S.max && Math.min(...lives) >= LIFE_S.min, told);
    assert.ok(
      lives.some((life, index) => life > (lives[index - 1] ?? life) + 10),
      `renewed: ${told}`,
    );
    const own = stage.recorder.history().filter(({ address }) => address === "10.77.0.120");
    assert.deepEqual(
      own.map(({ host, event }) => `${host} ${event}`),
      ["lb1 added"],
    );
    assert.deepEqual(await silent(stage), ["10.77.0.121:80"]);

    await stage.agent("lb2").start();
    await stage.recorder.waitForHolder("10.77.0.121", 15_000);
    await published(stage, ADDRESSES);
    assert.deepEqual(await silent(stage), []);
  },
);

/** For how long the kernel keeps the address if nobody renews it, in s. */
async function lifeOf(host: Host, address: string): Promise<number> {
  const text = await host.output("ip", ["-4", "-j", "address", "show", "dev", "eth0"]);
  const [device] = JSON.parse(text) as readonly { readonly addr_info: readonly Shown[] }[];
  const shown = device?.addr_info.find(({ local }) => local === address);
  assert.ok(shown !== undefined, `${host.name} has ${address}`);
  return shown.valid_life_time;
}

/** An address as `ip` shows it; 4294967295 s are for ever. */
interface Shown {
  readonly local: string;
  readonly valid_life_time: number;
}

/** A Service that is proved on all three hosts. */
async function serveOnHosts(stage: Stage): Promise<void> {
  const lan = pool("lan", ["10.77.0.120-10.77.0.129"]);
  const spec = { ...(lan["spec"] as object), mode: "host" };
  await stage.write("pool.yaml", [{ ...lan, spec }]);
  await stage.write("web.yaml", service({ name: "web" }));
  await published(stage, ADDRESSES);
}

async function remarksOf(stage: Stage, agent: string): Promise<readonly string[]> {
  return await stage.until(`${agent} is listed`, ({ agents }) =>
    agents.find(({ name }) => name === agent)?.remarks.map(({ reason }) => reason),
  );
}

async function published(stage: Stage, wanted: readonly string[], ms?: number): Promise<void> {
  await stage.until(
    `${wanted.join(" and ")} are published`,
    (list) => {
      const all = list.claims.flatMap(({ addresses }) => addresses);
      const found = all.filter((one) => one.published).map(({ address }) => address);
      return found.join() === wanted.join() || undefined;
    },
    ms,
  );
}

/** Which of the addresses answer nobody. */
async function silent(stage: Stage): Promise<readonly string[]> {
  const said = await visit(
    stage.client,
    ADDRESSES.map((address) => `${address}:80`),
  );
  return Object.keys(said).filter((target) => said[target] === null);
}

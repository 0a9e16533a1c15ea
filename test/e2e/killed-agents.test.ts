// Agents that are killed (SIGKILL) before each single thing that they do to their hosts when a plan
// changes: files, programs, signals. The next life ends in the new state, whatever was half done;
// what was served before is served all the time, by the same daemons.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";

import { startProbe } from "@fairlead/lab";

import { pidOf, RUN_DIR } from "./stage/daemons.ts";
import { arm, deathsOf, disarm, DYING } from "./stage/killed-agent/arm.ts";
import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { areInSync } from "./stage/settled.ts";
import { type Stage, STATE_DIR } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

/** Longer than the story. */
const PROBE_MS = 150_000;

/** What a change takes, as an agent does it: first what nginx needs, then what keepalived does. */
const THINGS = [
  "writes nginx/places.new",
  "renames to nginx/places",
  "renames to state/plan.json",
  "writes nginx/candidate.conf",
  "runs nginx -t",
  "renames to nginx/nginx.conf",
  "opens nginx/supervise/control",
  "removes nginx/earlier.conf",
  "renames to state/ledger",
  "writes keepalived/candidate.conf",
  "runs keepalived -t",
  "renames to keepalived/sweep",
  "renames to keepalived/keepalived.conf",
  "opens keepalived/supervise/control",
  "renames to keepalived/taken",
  "runs nft --file",
] as const;

/** One agent is killed in what it does to nginx, the other one in what it does to keepalived. */
const PAIRS = THINGS.slice(0, THINGS.length / 2).map(
  (thing, at) => [thing, THINGS[at + THINGS.length / 2] ?? ""] as const,
);
const MIDDLE = PAIRS.length / 2;

for (const [which, pairs] of [
  ["first", PAIRS.slice(0, MIDDLE)],
  ["last", PAIRS.slice(MIDDLE)],
] as const) {
  story(
    `agents are killed before each of the ${which} things that a change takes: the next ones end it`,
    { balancers: 2, agentEnv: DYING },
    (stage) => killBefore(stage, pairs),
  );
}

async function killBefore(
  stage: Stage,
  pairs: readonly (readonly [string, string])[],
): Promise<void> {
  await stage.write("web.yaml", service({ name: "web" }));
  const web = await stage.served("default/web");
  await stage.backed();
  const daemons = daemonsOf(stage);
  const moves = movesOf(stage, web.address);
  const asked = { address: web.address, port: 80, everyMs: 20, durationMs: PROBE_MS };
  await using probe = await startProbe(stage.client, asked);
  await probe.waitForAnswer(5_000);

  const others = new Set<string>();
  for (const things of pairs) {
    await changeUntilDeath(stage, things, true);
    others.add(await untilServed(stage, "default/other"));
    await changeUntilDeath(stage, things.toReversed(), false);
    await untilGone(stage, [...others]);
  }
  assert.equal(others.size, 1, "it got the same address each time");
  const deaths = stage.balancers.flatMap(({ name }) => deathsOf(stage.agent(name)));
  const things = pairs.flat();
  assert.deepEqual(deaths.toSorted(), [...things, ...things].toSorted(), "each twice");
  for (const host of stage.balancers) {
    const kept = readdirSync(host.outsidePath(STATE_DIR)).toSorted();
    assert.deepEqual(kept, ["ledger", "plan.json"], `what agents began on ${host.name} is gone`);
  }
  noneFailed(await probe.stop());
  assert.deepEqual(daemonsOf(stage), daemons, "no daemon was started anew");
  for (const host of stage.balancers) {
    const log = readFileSync(host.outsidePath(`${RUN_DIR}/log/keepalived/current`), "utf8");
    const begun = log.match(/\(lane-10\.77\.0\.0-24-1\) Entering/g);
    assert.equal(begun?.length, 1, `${host.name} never left the address's lane`);
  }
  assert.equal(movesOf(stage, web.address), moves, "the address never came or went");
}

/** Has one Service more or less, waits until all agents have died of it, and starts them anew. */
async function changeUntilDeath(
  stage: Stage,
  things: readonly string[],
  isThere: boolean,
): Promise<void> {
  const { balancers } = stage;
  const agents = balancers.map(({ name }) => stage.agent(name));
  for (const agent of agents) agent.abandon();
  await Promise.all(balancers.map((host, at) => arm(host, things[at] ?? "")));
  if (isThere) await stage.write("other.yaml", service({ name: "other" }));
  else await stage.remove("other.yaml");
  await stage.until(`agents have died before ${things.join(" and ")}`, () =>
    agents.some((agent) => agent.isRunning()) ? undefined : true,
  );
  await Promise.all(balancers.map((host) => disarm(host)));
  await Promise.all(agents.map((agent) => agent.start()));
}

/** Waits until it is served and every host stands by for it, and gives its address. */
async function untilServed(stage: Stage, name: string): Promise<string> {
  const { address } = await stage.served(name);
  await stage.backed();
  return address;
}

async function untilGone(stage: Stage, addresses: readonly string[]): Promise<void> {
  await stage.until("no host has it any more", (list) => {
    const holders = addresses.flatMap((address) => stage.recorder.holders(address));
    return (holders.length === 0 && areInSync(list)) || undefined;
  });
}

function daemonsOf(stage: Stage): readonly number[] {
  return stage.balancers.flatMap((host) => [
    pidOf(host, "nginx/nginx.pid"),
    pidOf(host, "keepalived/keepalived.pid"),
  ]);
}

function movesOf({ recorder }: Stage, address: string): number {
  return recorder.history().filter((one) => one.address === address).length;
}

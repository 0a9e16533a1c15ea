// Operators' moves under a client that connects every few milliseconds: one address is moved, its
// host is drained and comes back, and what it lost is spread again, each after a dry run that
// changes nothing. No new connection fails, and a client that waits for an answer of the old host
// learns that it will have none.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import { readSamples } from "./stage/linted-metrics.ts";
import { service } from "./stage/manifests.ts";
import { onlyMovesEnd } from "./stage/only-moves-end.ts";
import type { Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { startWaitingClient } from "./stage/waiting-client.ts";

const NAMES = ["a", "b", "c", "d", "e", "f"] as const;
const MEET_MS_MAX = 5_000;
const CONNECT_EVERY_MS = 3;
/** A SYN that came to the host that just gave the address up is sent again after a second. */
const ANSWER_MS_MAX = 3_000;
/** Adverts of the new holder are read at most a second later, looked at a second after that. */
const RESET_MS_MAX = 10_000;

story("an operator moves an address, drains its host and takes it back", {}, async (stage) => {
  await stage.write(
    "all.yaml",
    NAMES.flatMap((name) => service({ name })),
  );
  const { address, holder } = await stage.served("default/a");
  const all = await stage.until("all Services are served", ({ claims }) =>
    claims.length === NAMES.length && claims.every(({ state }) => state === "ready")
      ? claims.flatMap(({ addresses }) => addresses.map((at) => at.address))
      : undefined,
  );
  await stage.inSync();
  await stage.backed();
  await using probe = await startProbe(stage.client, {
    address,
    port: 80,
    everyMs: CONNECT_EVERY_MS,
    timeoutMs: ANSWER_MS_MAX,
  });
  await probe.waitForAnswer(MEET_MS_MAX);

  await using waiting = await startWaitingClient(stage.client, address);

  const to = stage.balancers.find(({ name }) => name !== holder)?.name ?? "";
  const moved = await runAsSaid(stage, "move", address, "--to", to);
  assert.match(moved, /^will: lane \S+ goes from lb\d to lb\d with /m);
  assert.match(moved, /^will: connections through a proxy end/m);
  const line = new RegExp(`held by ${to} now with (\\d+) address\\S*; gap \\d+ ms`).exec(moved);
  assert.ok(line !== null, moved);
  assert.equal(await plannedMoves(stage), Number(line[1]), "each address is counted once");
  await stage.recorder.waitForHolder(address, MEET_MS_MAX, holder);
  assert.deepEqual(stage.recorder.holders(address), [to]);
  await waiting.waitForLine(/^ECONNRESET$/, RESET_MS_MAX);
  const { steps } = await stage.asker.explain(address);
  const told = steps.find(({ title }) => title === "Moved")?.detail ?? "";
  assert.match(told, new RegExp(`^from ${holder} to ${to}, planned, gap \\d+ ms: moved by an op`));

  const drained = await runAsSaid(stage, "drain", to);
  assert.match(
    drained,
    new RegExp(`^done: ${to} is drained; fairlead uncordon ${to} ends it`, "m"),
  );
  await stage.inSync();
  assert.deepEqual(heldBy(stage, to, all), []);
  await stage.controller.kill();
  await stage.controller.start();
  await stage.served("default/a");
  // The drained one holds nothing, so that what is served does not wait for it.
  const back = await stage.until(`${to} is back`, ({ agents }) =>
    agents.find(({ name, state }) => name === to && state === "connected"),
  );
  const since = back.drainedSinceMs;
  assert.notEqual(since, undefined, "it is drained for the next controller too");
  assert.deepEqual(heldBy(stage, to, all), []);

  await run(stage, "uncordon", to);
  await stage.inSync();
  assert.deepEqual(heldBy(stage, to, all), [], "uncordon moves nothing");
  await runAsSaid(stage, "rebalance");
  await stage.inSync();
  for (const { name } of stage.balancers) {
    const held = heldBy(stage, name, all).length;
    assert.ok(held >= 1 && held <= 3, `${name} holds ${held} of ${all.length}`);
  }
  onlyMovesEnd(stage, address, await probe.stop());

  await waitsWhileFrozen(stage, to, all);
});

/** A drain is taken while all is frozen, and begins with the thaw. */
async function waitsWhileFrozen(stage: Stage, host: string, all: readonly string[]): Promise<void> {
  await stage.backed();
  await run(stage, "freeze");
  const held = heldBy(stage, host, all);
  const { stdout } = await stage.fairlead("drain", host);
  assert.match(stdout, new RegExp(`^done: ${host} is drained, but it still holds `, "m"));
  // A new Service goes the whole way from the controller to the hosts.
  await stage.write("new.yaml", service({ name: "new" }));
  await stage.served("default/new");
  assert.deepEqual(heldBy(stage, host, all), held, "nothing moves while all is frozen");
  assert.match(await run(stage, "thaw"), /thawed; 1 of drains, moves and rebalances go on now/);
  const isEmpty = (): boolean => heldBy(stage, host, all).length === 0;
  await stage.recorder.waitUntil(isEmpty, MEET_MS_MAX, `${host} is empty after the thaw`);
}

/** How many planned moves of addresses the controller counts, with a gap that was measured. */
async function plannedMoves(stage: Stage): Promise<number> {
  const samples = await readSamples(stage.control, 7704, "fairlead_vip_move_gap_seconds");
  const count = samples.find(
    ({ name, labels: { cause, gap } }) =>
      name.endsWith("_count") && cause === "planned" && gap === "measured",
  );
  return count?.value ?? 0;
}

/** A dry run first, by which nothing changes; what it says the command then says and does. */
async function runAsSaid(stage: Stage, ...args: readonly string[]): Promise<string> {
  const before = await wanted(stage);
  const said = await run(stage, ...args, "--dry-run");
  assert.match(said, /^(?:will: .+\n)+$/);
  assert.deepEqual(await wanted(stage), before);
  const stdout = await run(stage, ...args);
  assert.ok(stdout.startsWith(said), `${said}and then\n${stdout}`);
  return stdout;
}

/** What every agent is to do, and which are drained. */
async function wanted(stage: Stage): Promise<readonly unknown[]> {
  const { agents } = await stage.asker.list();
  return agents.map(({ name, wantedRevision, drainedSinceMs }) => [
    name,
    wantedRevision,
    drainedSinceMs,
  ]);
}

/** Runs the command line, which has to succeed, and gives what it said. */
async function run(stage: Stage, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await stage.fairlead(...args);
  assert.equal(code, 0, `fairlead ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** The addresses that the kernel of the host has. */
function heldBy(stage: Stage, host: string, all: readonly string[]): readonly string[] {
  return all.filter((address) => stage.recorder.holders(address).includes(host));
}

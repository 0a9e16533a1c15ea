// What `--dry-run` tells an operator who is about to drain, move or rebalance: the very plan that
// is carried out when he asks without it, and nothing comes of the asking alone. The real
// controller with real agents on fake hosts and a fake clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Act } from "@fairlead/controller";
import { parseAddress, present } from "@fairlead/model";

import { copyMedium } from "./fakes/memory-store.ts";
import { usualService } from "./scenario/manifests.ts";
import { agentOf, createRing, heldAddresses, type Ring } from "./scenario/ring.ts";
import { viewOf } from "./scenario/views.ts";

const NAMES = ["a", "b", "c", "d", "e", "f"];
/** Everything is served, and nothing is left to be done. */
const SETTLE_MS = 60_000;
/** Whatever an act begins shows within this time, in ms. */
const SHOWS_MS = 20_000;
const PLANNED_MOVE = /^lane \S+ goes from (\S+) to (\S+) with (.+)$/;

/** What an operator asks for, by whether it is only to be said. */
type Asking = (isDryRun: boolean) => Act;

/** Three hosts that share six Services. */
async function settledRing(): Promise<Ring> {
  const ring = createRing({
    seed: 1,
    faultRate: 0,
    hosts: new Map([1, 2, 3].map((at) => [`lb${at}`, `192.0.2.1${at}/24`])),
    pools: ["lan=192.0.2.100-192.0.2.109"],
  });
  for (const name of NAMES) {
    for (const { path, text } of usualService(name, ["tcp/80"])) ring.folder.write(path, text);
  }
  await ring.clock.advance(SETTLE_MS);
  assert.equal(holders(ring).size, NAMES.length);
  assert.ok(Math.min(...loads(ring)) > 0, "each holds something");
  return ring;
}

/** Who has each address. */
function holders({ agents }: Ring): ReadonlyMap<string, string> {
  const pairs = [...agents.values()].flatMap(({ name, host, foreign }) =>
    heldAddresses(host.lines()).flatMap((address) =>
      foreign.has(address) ? [] : [[address, name] as const],
    ),
  );
  assert.equal(new Set(pairs.map(([address]) => address)).size, pairs.length, "one holder each");
  return new Map(pairs);
}

function loads(ring: Ring): readonly number[] {
  const all = [...holders(ring).values()];
  return [...ring.agents.keys()].map((name) => all.filter((one) => one === name).length);
}

/** All that an act may change: rows, marks, plans at the agents, and what their hosts have. */
function everything(ring: Ring): unknown {
  const agents = [...ring.agents.values()];
  return {
    store: copyMedium(ring.medium),
    tables: [viewOf(ring, ["agents"])?.(), viewOf(ring, ["lanes"])?.()],
    findings: viewOf(ring, ["findings"])?.(),
    hosts: agents.map(({ host }) => host.lines()),
  };
}

/** Each agent's plan as the object that came over its stream: another one is another message. */
function plansReceived({ agents }: Ring): readonly unknown[] {
  return [...agents.values()].map(({ converge }) => present(converge, "it runs").view().wanted);
}

/** Asks, and gives what is answered. */
async function ask(ring: Ring, act: Act): Promise<readonly string[]> {
  ring.controller.act(act);
  await ring.clock.advance(SHOWS_MS);
  return ring.controller.acted;
}

/** What a dry run says; that nothing whatsoever came of it is asserted. */
async function dryRun(ring: Ring, asking: Asking): Promise<readonly string[]> {
  const [before, plans] = [everything(ring), plansReceived(ring)];
  // Whoever would write now fails.
  ring.controller.isStoreLost = true;
  const said = await ask(ring, asking(true));
  ring.controller.isStoreLost = false;
  assert.deepEqual(everything(ring), before);
  for (const [at, plan] of plansReceived(ring).entries()) {
    assert.equal(plan, plans[at], "no plan was sent");
  }
  assert.deepEqual(ring.medium.intents, new Map(), "nothing is intended");
  return said;
}

/** Who has each address once the moves that were said are made. */
function afterMoves(ring: Ring, said: readonly string[]): ReadonlyMap<string, string> {
  const after = new Map(holders(ring));
  for (const line of said) {
    const [, from = "", to = "", addresses = ""] = PLANNED_MOVE.exec(line) ?? [];
    for (const address of addresses === "" ? [] : addresses.split(", ")) {
      assert.equal(after.get(address), from, line);
      after.set(address, to);
    }
  }
  return after;
}

/** A dry run, and then the act: what it said at first is what comes to be, and no more. */
async function assertCarriedOut(ring: Ring, asking: Asking, done: RegExp): Promise<void> {
  const planned = await dryRun(ring, asking);
  const promised = afterMoves(ring, planned);
  assert.notDeepEqual(promised, holders(ring), `something is to move: ${planned.join("; ")}`);
  const real = await ask(ring, asking(false));
  assert.deepEqual(real.slice(0, planned.length), planned);
  assert.match(real.slice(planned.length).join("\n"), done);
  await ring.clock.advance(SETTLE_MS);
  assert.deepEqual(holders(ring), promised);
}

test("a drain's dry run says where all goes, and the drain then has it so", async () => {
  const ring = await settledRing();
  const { name: agent } = agentOf(ring, "lb1");
  const drain: Asking = (isDryRun) => ({ kind: "drain", agent, isDryRun });
  await assertCarriedOut(ring, drain, /^lb1 is drained; fairlead uncordon lb1 ends it$/);
  assert.equal(loads(ring)[0], 0);
  assert.ok(ring.medium.intents.has("drain-lb1"));
});

test("a move's dry run says what rides in the lane, and the move then takes just that", async () => {
  const ring = await settledRing();
  const [first = "", from = ""] = [...holders(ring)][0] ?? [];
  const address = present(parseAddress(first), first);
  const to = present(
    [...ring.agents.values()].find(({ name }) => name !== from),
    "another",
  ).name;
  const move: Asking = (isDryRun) => ({ kind: "move", address, to, isDryRun });
  await assertCarriedOut(ring, move, /^lane \S+ is on its way to lb\d$/);
  assert.equal(holders(ring).get(address), to);
});

test("a rebalance's dry run says each lane that goes, and they go", async () => {
  const ring = await settledRing();
  const drained = [agentOf(ring, "lb1").name, agentOf(ring, "lb2").name];
  for (const agent of drained) await ask(ring, { kind: "drain", agent, isDryRun: false });
  await ring.clock.advance(SETTLE_MS);
  for (const agent of drained) await ask(ring, { kind: "uncordon", agent });
  await ring.clock.advance(SETTLE_MS);
  assert.deepEqual(loads(ring), [0, 0, 6]);
  const rebalance: Asking = (isDryRun) => ({ kind: "rebalance", isDryRun });
  await assertCarriedOut(ring, rebalance, /^\d lanes are to move$/);
  assert.deepEqual(loads(ring), [2, 2, 2]);
});

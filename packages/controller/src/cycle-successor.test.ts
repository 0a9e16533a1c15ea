// The loop of a controller that comes to lead after another one: what it takes over at once, what
// it waits for, and that nobody notices where nothing changed. Two loops over one store in memory.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { assert as assertThat } from "@fairlead/model";
import {
  agentHello,
  agentProof,
  claimGone,
  createMemoryMedium,
  type Delivered,
  folderListed,
  type LeadStage,
  makeClaim,
  makeLeadStage,
  ROUND_MS,
} from "@fairlead/testkit";

const HELLO = agentHello("lb-1", 11);

/** What an agent says that serves all of this. */
const reportOf = (delivered: Delivered): ReturnType<typeof agentProof> =>
  agentProof(delivered, "lb-1");

suite("a successor", () => {
  test("takes agents before its store is open, and plans once it is", async () => {
    const medium = createMemoryMedium();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const opening = (): Promise<void> => opened;
    await using before = await makeLeadStage({ medium });
    await using next = await makeLeadStage({ medium, opening });
    await before.lead();
    await serve(before);
    const last = before.delivered.at(-1);
    assertThat(last !== undefined, "it delivered");
    await before.lose();
    await next.lead();
    assert.deepEqual(next.told, ["the lead is ours"]);
    next.say(HELLO);
    next.say(reportOf(last));
    await next.clock.advance(60);
    assert.deepEqual([next.delivered.length, next.published.length], [0, 0], "nothing is read");
    const begunMs = next.clock.nowMs();
    open();
    await next.clock.advance(60);
    assert.ok(next.clock.nowMs() - begunMs < 100);
    assert.deepEqual(next.delivered[0]?.plans, last.plans);
    assert.equal(next.commits(), 0);
  });

  test("that loses before its store is open forgets the agents that came", async () => {
    const opening = (): Promise<void> => new Promise(() => undefined);
    await using peer = await makeLeadStage({ medium: createMemoryMedium(), opening });
    await peer.lead();
    peer.say(HELLO);
    assert.equal(peer.cycle.view().state.agents.size, 1);
    await peer.lose();
    assert.equal(peer.cycle.view().state.agents.size, 0);
    assert.deepEqual(peer.told, ["the lead is ours", "publisher pauses", "the lead is anothers"]);
  });

  test("waits for the report of an agent that is here, and not as long for one that is not", async () => {
    const medium = createMemoryMedium();
    await using before = await makeLeadStage({ medium });
    await before.lead();
    await serve(before);
    await before.lose();
    await using absent = await makeLeadStage({ medium });
    await absent.lead();
    await absent.clock.advance(2100);
    assert.equal(absent.delivered.length, 1);
    await absent.lose();
    await using silent = await makeLeadStage({ medium });
    await silent.lead();
    silent.say(HELLO);
    await silent.clock.advance(4900);
    assert.equal(silent.delivered.length, 0, "its report is on its way");
    await silent.clock.advance(200);
    assert.equal(silent.delivered.length, 1);
  });

  test("says and writes the same where nothing changed, as soon as the agents have spoken", async () => {
    const medium = createMemoryMedium();
    const [before, next] = [await makeLeadStage({ medium }), await makeLeadStage({ medium })];
    await before.lead();
    await serve(before);
    const last = before.delivered.at(-1);
    assertThat(last !== undefined, "it delivered");
    await before.lose();
    await next.lead();
    const begunMs = next.clock.nowMs();
    next.say(HELLO);
    await next.clock.advance(50);
    assert.equal(next.delivered.length, 0, "the agent has not said what it has");
    next.say(reportOf(last));
    await next.clock.advance(100);
    assert.ok(next.clock.nowMs() - begunMs < 200);
    const [first] = next.delivered;
    assert.deepEqual(first?.plans, last.plans);
    assert.equal(first?.epoch, 2);
    assert.equal(next.commits(), 0);
    assert.deepEqual(next.published[0]?.verdicts, before.published.at(-1)?.verdicts);
    await before[Symbol.asyncDispose]();
    await next[Symbol.asyncDispose]();
  });

  test("releases at once what it saw end while it stood by", async () => {
    const medium = createMemoryMedium();
    const [before, next] = [await makeLeadStage({ medium }), await makeLeadStage({ medium })];
    await before.lead();
    await before.clock.advance(ROUND_MS);
    await before.lose();
    next.say(claimGone(makeClaim("web")));
    await next.lead();
    await next.clock.advance(ROUND_MS);
    assert.deepEqual(
      [...medium.leases.values()].map(({ owners, state }) => [owners.length, state.kind]),
      [[0, "quarantined"]],
    );
    await before[Symbol.asyncDispose]();
    await next[Symbol.asyncDispose]();
  });

  test("keeps for a while what it never saw: its view of the cluster may be late", async () => {
    const medium = createMemoryMedium();
    const [before, next] = [
      await makeLeadStage({ medium }),
      await makeLeadStage({ medium, claims: [] }),
    ];
    await before.lead();
    await before.clock.advance(ROUND_MS);
    await before.lose();
    await next.lead();
    await next.clock.advance(ROUND_MS);
    const owners = (): number => [...medium.leases.values()].flatMap((row) => row.owners).length;
    assert.equal(owners(), 1);
    next.say(folderListed([]));
    await next.clock.advance(31_000);
    assert.equal(owners(), 1, "one list alone decides nothing");
    next.say(folderListed([]));
    await next.clock.advance(100);
    assert.equal(owners(), 0);
    await before[Symbol.asyncDispose]();
    await next[Symbol.asyncDispose]();
  });
});

/** An agent comes and serves all that it is told. */
async function serve(peer: LeadStage): Promise<void> {
  peer.say(HELLO);
  await peer.clock.advance(ROUND_MS);
  for (let round = 0; round < 3; round += 1) {
    const last = peer.delivered.at(-1);
    assertThat(last !== undefined, "it delivered");
    peer.say(reportOf(last));
    await peer.clock.advance(1000);
  }
}

// The loop while it stands by, when it comes to lead, and when its lead ends, with an election that
// is played by hand, on the fake clock.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { EdgeError } from "@fairlead/runtime";
import {
  address,
  claimSeen,
  createMemoryMedium,
  createMemoryStore,
  makeClaim,
  makeLeadStage,
  NOTICES_MS,
  ROUND_MS,
} from "@fairlead/testkit";

/** Longer than a first plan waits over a lost store. */
const LOST_MS = 20_000;

suite("a controller that stands by", () => {
  test("knows what is asked for, and says and writes nothing", async () => {
    await using peer = await makeLeadStage({ medium: createMemoryMedium() });
    await peer.clock.advance(10_000);
    assert.deepEqual([peer.delivered, peer.published, peer.commits()], [[], [], 0]);
    const { state, notReady, epoch, lead } = peer.cycle.view();
    assert.equal(state.claims.size, 1);
    assert.equal(notReady, undefined);
    assert.equal(epoch, 0);
    assert.deepEqual(lead, { leads: false, holder: "another" });
    assert.deepEqual([peer.toldAtStart, peer.told], [["publisher pauses"], []]);
  });

  test("says whose the lead is, and that it is nobody's only where it sees that", async () => {
    await using peer = await makeLeadStage({ medium: createMemoryMedium() });
    peer.see({});
    peer.see({ trouble: "the server is away" });
    peer.see({});
    await peer.lead();
    peer.see({ holder: "me" });
    await peer.lose();
    assert.deepEqual(peer.told, [
      "the lead is nobodys",
      "the lead is anothers",
      "the lead is nobodys",
      "the lead is ours",
      "publisher pauses",
      "the lead is anothers",
    ]);
  });

  test("plans when it comes to lead, and stops when its lead ends", async () => {
    const medium = createMemoryMedium();
    await using peer = await makeLeadStage({ medium });
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    assert.equal(peer.delivered.length, 1);
    assert.equal(peer.published.length, 1);
    await peer.lose();
    assert.deepEqual(peer.told, ["the lead is ours", "publisher pauses", "the lead is anothers"]);
    peer.say(claimSeen(makeClaim("late")));
    await peer.clock.advance(ROUND_MS);
    assert.deepEqual([peer.delivered.length, peer.published.length, peer.commits()], [1, 1, 1]);
    assert.equal(peer.cycle.view().plan, undefined);
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    assert.equal(peer.cycle.view().epoch, 2);
    assert.equal(peer.delivered.at(-1)?.leases.size, 2);
  });

  test("begins over a lost store with what statuses say by then", async () => {
    const held = address("192.0.2.105");
    const statuses = [{ ...makeClaim("web"), statusAddresses: [held] }];
    await using peer = await makeLeadStage({ medium: createMemoryMedium(), statuses });
    await peer.lead();
    await peer.clock.advance(LOST_MS);
    assert.deepEqual([...(peer.delivered[0]?.leases.keys() ?? [])], [held]);
  });

  test("says nothing of claims when it loses the lead: they are asked for as before", async () => {
    await using peer = await makeLeadStage({ medium: createMemoryMedium() });
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    const ofClaims = (): readonly string[] =>
      peer.lines.filter((line) => line.includes('"claim":"default/web"'));
    assert.equal(ofClaims().length, 1);
    await peer.lose();
    await peer.clock.advance(ROUND_MS);
    assert.equal(ofClaims().length, 1);
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    assert.equal(ofClaims().length, 2, "a leader says anew what it found");
  });

  test("whose time is over writes, delivers and publishes nothing, told or not", async () => {
    const medium = createMemoryMedium();
    await using peer = await makeLeadStage({ medium });
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    peer.expire();
    peer.say(claimSeen(makeClaim("late")));
    await peer.clock.advance(ROUND_MS);
    assert.deepEqual([peer.delivered.length, peer.published.length, peer.commits()], [1, 1, 1]);
    assert.equal(medium.leases.size, 1);
  });

  test("is not ended by a write of its lost lead that meets the next one", async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const answering = (): Promise<void> => answered;
    await using peer = await makeLeadStage({ medium: createMemoryMedium(), answering });
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    assert.deepEqual([peer.commits(), peer.delivered.length], [1, 0], "the write is under way");
    await peer.lose();
    await peer.lead();
    answer();
    await peer.clock.advance(ROUND_MS);
    assert.deepEqual(peer.failed, []);
    assert.equal(peer.cycle.view().epoch, 2);
    assert.equal(peer.delivered.length, 1, "it leads on");
  });

  test("stands by when another one took its store before its election noticed", async () => {
    const medium = createMemoryMedium();
    await using peer = await makeLeadStage({ medium });
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    await createMemoryStore({ medium }).open();
    peer.say(claimSeen(makeClaim("late")));
    await peer.clock.advance(NOTICES_MS - 1);
    assert.equal(peer.cycle.view().notReady, "another controller took over");
    assert.deepEqual([peer.delivered.length, peer.published.length], [1, 1], "it says no more");
    await peer.lose();
    await peer.clock.advance(NOTICES_MS);
    assert.deepEqual(peer.failed, []);
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    assert.equal(peer.cycle.view().epoch, 3);
    assert.equal(peer.delivered.at(-1)?.leases.size, 2);
  });

  test("tries a store again that cannot be opened just now, and fails by one that never can", async () => {
    const troubles = [
      new EdgeError({ code: "UNREACHABLE", message: "away", retryable: true }),
      undefined,
      new EdgeError({ code: "CORRUPT", message: "damaged", retryable: false }),
    ];
    const opening = (): void => {
      const trouble = troubles.shift();
      if (trouble !== undefined) throw trouble;
    };
    await using peer = await makeLeadStage({ medium: createMemoryMedium(), opening });
    await peer.lead();
    assert.equal(peer.cycle.view().notReady, "the store is not open");
    await peer.clock.advance(1000 + ROUND_MS);
    assert.equal(peer.delivered.length, 1);
    await peer.lose();
    await peer.lead();
    assert.deepEqual(
      peer.failed.map(({ message }) => message),
      ["damaged"],
    );
  });
});

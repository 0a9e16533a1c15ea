// A lead whose store another controller took before the election showed it, on the fake clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type FakeClock, createFakeClock, createLogger } from "@fairlead/runtime";
import { createMemoryMedium, createMemoryStore } from "@fairlead/testkit";

import { type Lead, createLead } from "./lead.ts";
import type { ElectionEvents } from "./ports.ts";

/** A controller that leads and whose store is open, with what it told the loop. */
async function makeLeader(noticesMs: number): Promise<{
  readonly clock: FakeClock;
  readonly lead: Lead;
  readonly told: readonly string[];
  /** Its election shows another one. */
  readonly lose: () => void;
}> {
  const clock = createFakeClock();
  const told: string[] = [];
  let events: ElectionEvents | undefined;
  let leads = true;
  const lead = createLead({
    clock,
    log: createLogger({ level: "silent", format: "text" }),
    store: createMemoryStore({ medium: createMemoryMedium() }),
    election: {
      identity: "me",
      noticesMs,
      start: (given) => {
        events = given;
        given.onLead();
        return Promise.resolve();
      },
      view: () => ({ leads }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    onOpened: ({ epoch }) => told.push(`opened ${epoch}`),
    onLost: () => told.push("lost"),
    onOwner: () => undefined,
    onFenced: (epoch) => told.push(`fenced by ${epoch}`),
    onFailed: (error) => assert.fail(error),
    onChange: () => undefined,
  });
  await lead.start();
  const lose = (): void => {
    leads = false;
    events?.onLost();
  };
  return { clock, lead, told, lose };
}

test("a leader that was overtaken writes no more, and stands by once its election shows it", async () => {
  const { clock, lead, told, lose } = await makeLeader(3000);
  assert.equal(lead.isHeld(), true);
  lead.overtake(2);
  assert.equal(lead.isHeld(), false);
  await clock.advance(2999);
  lose();
  await clock.advance(10_000);
  assert.deepEqual(told, ["opened 1", "lost"]);
});

test("a leader that was overtaken fails where its election shows nobody else", async () => {
  const { clock, lead, told } = await makeLeader(3000);
  lead.overtake(2);
  await clock.advance(2999);
  assert.deepEqual(told, ["opened 1"]);
  await clock.advance(1);
  assert.deepEqual(told, ["opened 1", "fenced by 2"]);
});

test("a leader that was overtaken fails at once where nobody else can lead", async () => {
  const { lead, told } = await makeLeader(0);
  lead.overtake(2);
  assert.deepEqual(told, ["opened 1", "fenced by 2"]);
});

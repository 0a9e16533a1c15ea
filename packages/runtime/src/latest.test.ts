// The mailbox between a stream and the loop that applies plans.

import assert from "node:assert";
import { test } from "node:test";
import { createLatest, type Latest } from "./latest.ts";

interface Plan {
  readonly revision: string;
}

const plans = (): Latest<Plan> => createLatest({ isEqual: (a, b) => a.revision === b.revision });

test("of a burst of plans the reader sees only the newest", async () => {
  const mailbox = plans();
  mailbox.put({ revision: "a" });
  mailbox.put({ revision: "b" });
  mailbox.put({ revision: "c" });
  assert.equal((await mailbox.take()).revision, "c");
  assert.equal(mailbox.isFull(), false);
});

test("a reader that waits is woken by the next plan", async () => {
  const mailbox = plans();
  const taken = mailbox.take();
  mailbox.put({ revision: "a" });
  mailbox.put({ revision: "b" });
  assert.equal((await taken).revision, "a");
  assert.equal((await mailbox.take()).revision, "b");
});

test("a plan equal to the one before is dropped, taken or not", async () => {
  const mailbox = plans();
  assert.equal(mailbox.put({ revision: "a" }), true);
  assert.equal(mailbox.put({ revision: "a" }), false);
  await mailbox.take();
  assert.equal(mailbox.put({ revision: "a" }), false);
  assert.equal(mailbox.isFull(), false);
  assert.equal(mailbox.put({ revision: "b" }), true);
});

test("a reader that gives up loses no plan", async () => {
  const mailbox = plans();
  const abort = new AbortController();
  const taken = mailbox.take(abort.signal);
  abort.abort(new Error("stopping"));
  await assert.rejects(taken, /stopping/u);
  mailbox.put({ revision: "a" });
  await assert.rejects(mailbox.take(abort.signal), /stopping/u);
  assert.equal((await mailbox.take()).revision, "a");
});

test("an abort after the plan was taken does nothing", async () => {
  const mailbox = plans();
  const abort = new AbortController();
  const taken = mailbox.take(abort.signal);
  mailbox.put({ revision: "a" });
  await taken;
  abort.abort();
  mailbox.put({ revision: "b" });
  assert.equal((await mailbox.take()).revision, "b");
});

test("two readers at once are a bug", async () => {
  const mailbox = plans();
  const first = mailbox.take();
  assert.throws(() => void mailbox.take(), /one reader/u);
  mailbox.put({ revision: "a" });
  await first;
});

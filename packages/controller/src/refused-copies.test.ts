// What keeps a copy between real stores from being made: a dry run, a store that is not there or
// not empty, and a controller that has one of them.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { suite, test } from "node:test";

import { createSystemClock, isEdgeError } from "@fairlead/runtime";
import { createMemoryMedium, createMemoryStore, shareEtcd } from "@fairlead/testkit";

import { toolPath } from "../../../test/tools/tool-path.ts";
import { COUNTS, fill, makeCopyStage, worked } from "./copy-stage.ts";
import { copyStore } from "./copy-store.ts";
import { createSoleElection } from "./election/sole-election.ts";
import type { Store } from "./ports.ts";

const clock = createSystemClock();
const place = shareEtcd(toolPath("etcd", "server"));
const makeStage = async () => makeCopyStage(await place());

suite("nothing is copied", () => {
  test("by a dry run, which makes no file and no key", async () => {
    using stage = await makeStage();
    const [old, target] = [stage.file("old.db"), stage.file("new.db")];
    await worked(stage.keep(old), fill);
    const would = { kind: "would-copy", counts: COUNTS };
    assert.deepEqual(await stage.copy(old, target, { dryRun: true }), would);
    assert.equal(existsSync(target.slice("sqlite:".length)), false);
    assert.deepEqual(await stage.copy(old, stage.inEtcd, { dryRun: true }), would);
    const keys = await stage.etcd.keys(`${stage.base}/store/leases/`);
    assert.deepEqual(keys, []);
  });

  test("from a file that is not there, nor onto itself", async () => {
    using stage = await makeStage();
    const old = stage.file("old.db");
    await assert.rejects(stage.copy(old, stage.inEtcd), (error) => isEdgeError(error, "NOT_FOUND"));
    assert.equal(existsSync(old.slice("sqlite:".length)), false);
    const outcome = await stage.copy(old, old);
    assert.ok(outcome.kind === "refused" && outcome.code === "NOT_EMPTY");
  });

  test("into a store that holds something", async () => {
    using stage = await makeStage();
    const [old, target] = [stage.file("old.db"), stage.file("new.db")];
    await worked(stage.keep(old), fill);
    await worked(stage.keep(target), fill);
    assert.deepEqual(await stage.copy(old, target), {
      kind: "refused",
      code: "NOT_EMPTY",
      why: `${target} is not empty: it holds 300 leases, 1 lane and 1 intent`,
    });
  });

  test("while a controller has either of them, which is named", async () => {
    using stage = await makeStage();
    const [old, target] = [stage.file("old.db"), stage.file("new.db")];
    await worked(stage.keep(old), async (store) => {
      await fill(store);
      const outcome = await stage.copy(old, target);
      assert.ok(outcome.kind === "refused" && outcome.code === "HELD");
      assert.match(outcome.why, /another controller has it: process \d+ on/);
    });
    const kept = stage.keep(stage.inEtcd);
    await worked(kept, async (store) => {
      await store.open();
      const outcome = await stage.copy(old, stage.inEtcd, { leaderLease: 2000 });
      assert.ok(outcome.kind === "refused" && outcome.code === "HELD");
      assert.match(
        outcome.why,
        new RegExp(`a controller has etcd:.*: ${kept.election.identity} leads`),
      );
      assert.match(stage.said.join(), /waiting up to 3 s for its end/);
    });
  });

  test("from or into an etcd where nobody answers, told of each member without a wait", async () => {
    using stage = await makeStage();
    const old = stage.file("old.db");
    await worked(stage.keep(old), fill);
    const lost = "etcd:http://127.0.0.1:1,http://127.0.0.1:2";
    for (const [from, to] of [[lost, stage.file("new.db")] as const, [old, lost] as const]) {
      const outcome = await stage.copy(from, to, { leaderLease: 300_000 });
      assert.ok(outcome.kind === "refused" && outcome.code === "UNREACHABLE");
      for (const port of [1, 2]) {
        const said = `http://127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`;
        assert.ok(outcome.why.includes(said), outcome.why);
      }
    }
    assert.deepEqual(stage.said, [], "it waits for nobody");
    assert.equal(existsSync(stage.file("new.db").slice("sqlite:".length)), false);
  });

  test("when another controller opens the target meanwhile", async () => {
    const [source, target] = [createMemoryMedium(), createMemoryMedium()];
    await fill(createMemoryStore({ medium: source }));
    const store = createMemoryStore({ medium: target });
    const side = { name: "target", election: createSoleElection("b") };
    const raced: Store = {
      ...store,
      open: async () => {
        const state = await store.open();
        await createMemoryStore({ medium: target }).open();
        return state;
      },
    };
    const outcome = await copyStore({
      from: { ...side, name: "source", store: createMemoryStore({ medium: source }) },
      to: { ...side, store: raced },
      dryRun: false,
      clock,
      leaseMs: 2000,
      onWait: () => undefined,
    });
    assert.deepEqual(outcome, {
      kind: "refused",
      code: "FENCED",
      why: "another controller took target meanwhile",
    });
    assert.equal(target.leases.size, 0);
  });
});

// The IPAM service as its clients meet it, on a fake clock and a store in memory: who gets which
// address, and what time and a bad disk do.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { createFakeClock, type FakeClock, isEdgeError } from "@fairlead/runtime";
import {
  createMemoryIpamMedium,
  createMemoryIpamStore,
  type MemoryIpamMedium,
} from "@fairlead/testkit";

import {
  classId,
  GRACE_MS,
  id,
  type IpamStage,
  LEASE_MS,
  makeIpamStage,
} from "./ipam-service-stage.ts";
import { release, renew, renewMany } from "./keep.ts";
import { register } from "./register.ts";

/** It looks for what expired so often. */
const SWEEP_MS = 5000;

suite("an address", () => {
  test("is the lowest of the oldest netblock, and the same for whoever asks again", async () => {
    await using stage = await makeStage({ lab: ["192.0.2.8/30", "192.0.2.0/30"] });
    assert.equal(await stage.register(1), "192.0.2.8");
    assert.equal(await stage.register(2), "192.0.2.9");
    const again = await stage.service.run(register({ class: "lab", uuid: id(1) }));
    assert.ok(again.kind === "done" && !again.isNew);
    assert.equal(again.value.address, "192.0.2.8");
  });

  test("that is wished for is given, and of another family too", async () => {
    await using stage = await makeStage({ lab: ["192.0.2.0/30", "2001:db8::/64"] });
    assert.equal(await stage.register(1, { wish: "192.0.2.3" }), "192.0.2.3");
    assert.equal(await stage.register(2, { wish: "2001:db8::1:1" }), "2001:db8::1:1");
    assert.equal(await stage.register(3, { family: "ipv6" }), "2001:db8::");
    assert.equal(await stage.register(4), "192.0.2.0");
  });

  test("may be held once in each class", async () => {
    await using stage = await makeStage({ lab: ["192.0.2.0/30"], shop: ["192.0.2.0/30"] });
    assert.equal(await stage.register(1), "192.0.2.0");
    assert.equal(await stage.register(2, { class: "shop" }), "192.0.2.0");
  });

  test("rests after a release, comes back to its holder, and goes to others last", async () => {
    await using stage = await makeStage({ lab: ["192.0.2.0/31"] });
    assert.equal(await stage.register(1), "192.0.2.0");
    await stage.done(release(id(1)));
    assert.equal(await stage.register(2), "192.0.2.1", "another one, while the first rests");
    await stage.done(release(id(2)));
    assert.equal(await stage.register(2), "192.0.2.1", "his own again");
    assert.equal(await stage.register(3), "192.0.2.0", "what rests, when nothing else is free");
  });

  test("is free when it has rested, and its row is gone", async () => {
    await using stage = await makeStage({ lab: ["192.0.2.0/31"] });
    await stage.register(1);
    await stage.done(release(id(1)));
    await stage.clock.advance(66_000);
    assert.equal(stage.medium.rows.has(`address ${classId("lab")} 192.0.2.0`), false);
    assert.equal(await stage.register(2), "192.0.2.0");
  });

  test("is kept over a restart, whether it is held or rests", async () => {
    const medium = createMemoryIpamMedium();
    {
      await using stage = await makeStage({ lab: ["192.0.2.0/30"] }, { medium });
      await stage.register(1);
      await stage.register(2);
      await stage.done(release(id(1)));
    }
    await using stage = await makeStage({}, { medium });
    assert.equal(await stage.register(3), "192.0.2.2");
    assert.equal(await stage.register(2), "192.0.2.1");
    assert.equal(await stage.register(1), "192.0.2.0");
  });
});

suite("time", () => {
  test("takes back what is not renewed, after the grace and not before", async () => {
    await using stage = await makeStage({ lab: ["192.0.2.0/30"] });
    await stage.register(1);
    await stage.register(2);
    await stage.clock.advance(LEASE_MS + GRACE_MS - 6000);
    await stage.done(renew(id(2)));
    assert.equal(stage.service.view().registrations.size, 2);
    await stage.clock.advance(12_000);
    assert.deepEqual([...stage.service.view().registrations.keys()], [id(2)]);
    const { renewed, unknown } = await stage.done(renewMany([id(1), id(2)]));
    assert.deepEqual(
      renewed.map(({ uuid }) => uuid),
      [id(2)],
    );
    assert.deepEqual(unknown, [id(1)]);
    assert.equal(await stage.register(1), "192.0.2.0", "it rests, and comes back to its holder");
  });

  test("that the service was away counts for nobody", async () => {
    const medium = createMemoryIpamMedium();
    {
      await using stage = await makeStage({ lab: ["192.0.2.0/30"] }, { medium });
      await stage.register(1);
    }
    const wallMs = Date.UTC(2027, 0, 1);
    await using stage = await makeStage({}, { medium, wallMs });
    await stage.clock.advance(LEASE_MS + GRACE_MS - 6000);
    assert.equal(stage.service.view().registrations.size, 1);
    await stage.clock.advance(12_000);
    assert.equal(stage.service.view().registrations.size, 0);
  });

  test("that is set on the host's clock ends nobody's registration", async () => {
    const clock = createFakeClock();
    let jumpMs = 0;
    const jumping: FakeClock = { ...clock, wallMs: () => clock.wallMs() + jumpMs };
    await using stage = await makeStage({ lab: ["192.0.2.0/30"] }, { clock: jumping });
    await stage.register(1);
    jumpMs = 365 * 86_400_000;
    await clock.advance(60_000);
    assert.equal(stage.service.view().registrations.size, 1);
  });
});

suite("the store", () => {
  test("gets what comes together in one transaction", async () => {
    await using stage = await makeStage({ lab: ["192.0.2.0/24"] });
    const before = stage.commits();
    const wishes = Array.from({ length: 100 }, (_, n) => stage.register(n + 1));
    assert.equal(new Set(await Promise.all(wishes)).size, 100);
    assert.equal(stage.commits(), before + 1);
  });

  test("that cannot be written gives nobody anything, and the next try gets the same", async () => {
    await using stage = await makeStage({ lab: ["192.0.2.0/30"] });
    stage.fail(true);
    const refused = await Promise.allSettled([stage.register(1), stage.register(2)]);
    for (const one of refused) {
      assert.ok(one.status === "rejected" && isEdgeError(one.reason, "NO_SPACE"));
    }
    assert.equal(stage.service.view().registrations.size, 0);
    stage.fail(false);
    assert.equal(await stage.register(2), "192.0.2.0");
    assert.equal(await stage.register(1), "192.0.2.1");
  });

  test("that loses an answer keeps nothing that was told to have failed", async () => {
    await using stage = await makeStage({ lab: ["192.0.2.0/30"] });
    stage.lose(true);
    await assert.rejects(stage.register(1), (error) => isEdgeError(error, "TIMEOUT"));
    assert.ok(stage.medium.rows.has(`registration ${id(1)}`), "it stands there all the same");
    stage.lose(false);
    await stage.clock.advance(SWEEP_MS);
    assert.equal(stage.medium.rows.has(`registration ${id(1)}`), false);
    const commits = stage.commits();
    await stage.clock.advance(10 * SWEEP_MS);
    assert.equal(stage.commits(), commits, "with nothing in doubt it is left alone");
  });

  test("is asked for no more than a thousand commands at once", async () => {
    await using stage = await makeStage({ lab: ["192.0.0.0/20"] });
    const waiting = Array.from({ length: 1001 }, (_, n) => stage.register(n + 1));
    const ended = await Promise.allSettled(waiting);
    const late = ended.filter((one) => one.status === "rejected");
    assert.equal(late.length, 1);
    assert.ok(isEdgeError(late[0]?.reason, "BUSY"));
  });
});

interface Stage extends IpamStage {
  readonly medium: MemoryIpamMedium;
  /** Whether commits fail from now on. */
  fail(isFailing: boolean): void;
  /** Whether they are made, and their answers get lost. */
  lose(isLosing: boolean): void;
  /** Commits so far. */
  commits(): number;
}

/** Over a store in memory that fails on command. */
async function makeStage(
  classes: Parameters<typeof makeIpamStage>[0],
  options: {
    readonly medium?: MemoryIpamMedium;
    readonly clock?: FakeClock;
    readonly wallMs?: number;
  } = {},
): Promise<Stage> {
  const { medium = createMemoryIpamMedium(), wallMs } = options;
  const clock = options.clock ?? createFakeClock(wallMs === undefined ? {} : { wallMs });
  let isFailing = false;
  let commits = 0;
  const failing = (): boolean => {
    commits += 1;
    return isFailing;
  };
  let isLosing = false;
  const store = createMemoryIpamStore({ medium, failing, losing: () => isLosing });
  const stage = await makeIpamStage(classes, { store, clock });
  return {
    ...stage,
    medium,
    fail: (isFailingNow) => {
      isFailing = isFailingNow;
    },
    lose: (isLosingNow) => {
      isLosing = isLosingNow;
    },
    commits: () => commits,
  };
}

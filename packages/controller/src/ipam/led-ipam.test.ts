// The IPAM service of controllers that share a store, on a fake clock: when it answers, what it
// says while it does not, and how it comes back to a store that somebody else took.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";

import { type FakeClock, EdgeError, createFakeClock, createLogger } from "@fairlead/runtime";
import { createMemoryIpamMedium, createMemoryIpamStore } from "@fairlead/testkit";

import type { ElectionView } from "../ports.ts";
import { createClass } from "./class-commands.ts";
import { randomUuid } from "./ipam-model.ts";
import { createIpamService } from "./ipam-service.ts";
import { type LedIpam, createLedIpam } from "./led-ipam.ts";
import type { IpamStore } from "./ports.ts";

const OPEN_RETRY_MS = 1000;

interface Stage extends AsyncDisposable {
  readonly ipam: LedIpam;
  readonly clock: FakeClock;
  /** What became of stores: `open` and `close`, in their order. */
  readonly stores: readonly string[];
  lead(view: ElectionView): void;
  /** What the next openings and commits fail with; undefined: they go well. */
  fail(what: Failing): void;
}

interface Failing {
  readonly open?: EdgeError;
  readonly commit?: EdgeError;
  /** Openings last until then. */
  readonly until?: Promise<void>;
}

function makeStage(): Stage {
  const clock = createFakeClock();
  const log = createLogger({ level: "silent", format: "json" });
  const medium = createMemoryIpamMedium();
  const stores: string[] = [];
  let failing: Failing = {};
  let view: ElectionView = { leads: false };
  const ipam = createLedIpam({
    clock,
    log,
    lead: () => view,
    open: async (onStoreError) => {
      if (failing.open !== undefined) throw failing.open;
      stores.push("open");
      await failing.until;
      const memory = createMemoryIpamStore({ medium });
      const store: IpamStore = {
        ...memory,
        commit: async (changes) => {
          if (failing.commit !== undefined) throw failing.commit;
          await memory.commit(changes);
        },
      };
      const times = { leaseMs: 60_000, graceMs: 60_000 };
      const service = await createIpamService({ store, clock, log, ...times, onStoreError });
      return {
        view: () => service.view(),
        run: (command) => service.run(command),
        timesOf: (registration) => service.timesOf(registration),
        [Symbol.asyncDispose]: async () => {
          await service[Symbol.asyncDispose]();
          stores.push("close");
        },
      };
    },
  });
  return {
    ipam,
    clock,
    stores,
    lead: (next) => {
      view = next;
    },
    fail: (what) => {
      failing = what;
    },
    [Symbol.asyncDispose]: () => ipam[Symbol.asyncDispose](),
  };
}

test("one that stands by says who leads, and holds nothing", async () => {
  await using stage = makeStage();
  await assert.rejects(make(stage, "lab"), says("NOT_LEADING", /does not lead; nobody does$/));
  stage.lead({ leads: false, holder: "lb2_1f" });
  await assert.rejects(make(stage, "lab"), says("NOT_LEADING", /does not lead; lb2_1f does$/));
  assert.throws(() => stage.ipam.view(), says("NOT_LEADING", /lb2_1f/));
  assert.equal(stage.ipam.shown().classes.size, 0);
  assert.deepEqual(stage.stores, []);
});

test("it runs while it leads, over a store that is opened anew each time", async () => {
  await using stage = makeStage();
  await win(stage);
  await make(stage, "lab");
  assert.equal(stage.ipam.shown().classes.size, 1);
  stage.lead({ leads: false, holder: "lb2_1f" });
  await assert.rejects(make(stage, "other"), says("NOT_LEADING", /lb2_1f/), "before it is told");
  stage.ipam.onLost();
  await settle();
  assert.deepEqual(stage.stores, ["open", "close"]);
  await win(stage);
  assert.equal(stage.ipam.view().classes.size, 1);
  assert.deepEqual(stage.stores, ["open", "close", "open"]);
});

test("a store that cannot be opened is tried again, and why is said", async () => {
  await using stage = makeStage();
  stage.fail({ open: storeError("UNREACHABLE", "no member answers") });
  await win(stage);
  await assert.rejects(make(stage, "lab"), says("OPENING", /^no member answers$/));
  stage.fail({});
  await stage.clock.advance(OPEN_RETRY_MS);
  await settle();
  await make(stage, "lab");
});

test("a lead that is lost while the store opens leaves nothing open", async () => {
  await using stage = makeStage();
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.fail({ until: promise });
  await win(stage);
  assert.deepEqual(stage.stores, ["open"]);
  await assert.rejects(make(stage, "lab"), says("OPENING", /is being opened$/));
  stage.ipam.onLost();
  resolve();
  await settle();
  assert.deepEqual(stage.stores, ["open", "close"]);
  await assert.rejects(make(stage, "lab"), says("OPENING", /is being opened$/));
});

for (const code of ["FENCED", "CONFLICT"]) {
  test(`a store that takes nothing any more (${code}) is opened again, while it leads`, async () => {
    await using stage = makeStage();
    await win(stage);
    await make(stage, "lab");
    stage.fail({ commit: storeError(code, "another controller took it") });
    await assert.rejects(make(stage, "other"), says(code, /took it$/));
    stage.fail({});
    await assert.rejects(make(stage, "other"), says("OPENING", /is being opened$/));
    stage.lead({ leads: false });
    await stage.clock.advance(OPEN_RETRY_MS);
    await settle();
    assert.equal(closes(stage), 1);
    assert.equal(stage.stores.length, 2, "whoever does not lead takes nothing from others");
    stage.lead({ leads: true });
    await stage.clock.advance(OPEN_RETRY_MS);
    await settle();
    await make(stage, "other");
    assert.equal(stage.ipam.view().classes.size, 2);
  });
}

test("a disk that is full for a moment ends nothing", async () => {
  await using stage = makeStage();
  await win(stage);
  stage.fail({ commit: storeError("NO_SPACE", "the disk is full") });
  await assert.rejects(make(stage, "lab"), says("NO_SPACE", /full$/));
  stage.fail({});
  await make(stage, "lab");
  assert.deepEqual(stage.stores, ["open"]);
});

async function win(stage: Stage): Promise<void> {
  stage.lead({ leads: true, holder: "lb1_0a" });
  stage.ipam.onLead();
  await settle();
}

async function make({ ipam }: Stage, name: string): Promise<void> {
  const answer = await ipam.run(createClass({ uuid: randomUuid(), name }));
  assert.equal(answer.kind, "done");
}

/** Everything that waits for nothing but itself comes to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}

function closes({ stores }: Stage): number {
  return stores.filter((what) => what === "close").length;
}

function storeError(code: string, message: string): EdgeError {
  return new EdgeError({ code, message, retryable: true });
}

function says(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof EdgeError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

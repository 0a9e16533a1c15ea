// The IPAM service as its clients meet it, on a fake clock and a store in memory: who gets which
// address, who is refused and told what, what time and a bad disk do.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { parseAddress, parseRange, present } from "@fairlead/model";
import { type FakeClock, createFakeClock, createLogger, isEdgeError } from "@fairlead/runtime";
import {
  type MemoryIpamMedium,
  createMemoryIpamMedium,
  createMemoryIpamStore,
} from "@fairlead/testkit";

import { createClass, deleteClass, renameClass } from "./class-commands.ts";
import { type Uuid, parseUuid } from "./ipam-model.ts";
import { type IpamService, createIpamService } from "./ipam-service.ts";
import type { Command } from "./ipam-state.ts";
import { release, renew, renewMany } from "./keep.ts";
import { changeNetblock, createNetblock, deleteNetblock } from "./netblock-commands.ts";
import { type RegisterWish, register } from "./register.ts";

const LEASE_MS = 60 * 60_000;
const GRACE_MS = 10 * 60_000;
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

suite("whoever gets nothing is told why", () => {
  const cases: readonly {
    readonly name: string;
    readonly wish: Partial<RegisterWish> & { readonly wish?: string };
    readonly reason: string;
    readonly why: RegExp;
  }[] = [
    {
      name: "the address is somebody else's, with his name and since when",
      wish: { wish: "192.0.2.1" },
      reason: "AddressTaken",
      why: /^registration .*002 \("blog \\"x\\""\) holds 192\.0\.2\.1 since 2026-01-01T00:00:00\.00\dZ$/,
    },
    {
      name: "the class is full, with its counts",
      wish: {},
      reason: "ClassExhausted",
      why: /^no address is free in class lab: 192\.0\.2\.0-192\.0\.2\.1 \(2 of 2 held\)$/,
    },
    {
      name: "the address is in no netblock",
      wish: { wish: "198.51.100.1" },
      reason: "AddressOutsideClass",
      why: /^198\.51\.100\.1 is in no netblock of class lab$/,
    },
    {
      name: "the address is none that anybody could have",
      wish: { wish: "127.0.0.1" },
      reason: "AddressUnusable",
      why: /^127\.0\.0\.1 is loopback$/,
    },
    {
      name: "the class has nothing of the family",
      wish: { family: "ipv6" },
      reason: "FamilyUnavailable",
      why: /^class lab has no ipv6 netblock$/,
    },
    {
      name: "the class has no netblock",
      wish: { class: "bare" },
      reason: "NoNetblock",
      why: /^class bare has no netblock$/,
    },
    {
      name: "there is no such class",
      wish: { class: "lob" },
      reason: "UnknownClass",
      why: /^no class has the uuid or name lob$/,
    },
    {
      name: "the uuid holds another address",
      wish: { uuid: id(1), wish: "192.0.2.1" },
      reason: "RegistrationDiffers",
      why: /001 holds 192\.0\.2\.0, and 192\.0\.2\.1 is asked for$/,
    },
    {
      name: "the uuid is registered in another class",
      wish: { uuid: id(1), class: "bare" },
      reason: "UuidTaken",
      why: /001 is a registration of class lab$/,
    },
  ];
  for (const { name, wish, reason, why } of cases) {
    test(name, async () => {
      await using stage = await makeStage({ lab: ["192.0.2.0/31"], bare: [] });
      await stage.register(1);
      await stage.register(2, { owner: 'blog "x"' });
      const { wish: text, ...rest } = wish;
      const address = text === undefined ? {} : { address: addressOf(text) };
      const answer = await stage.service.run(
        register({ class: "lab", uuid: id(9), ...rest, ...address }),
      );
      assert.ok(answer.kind === "refused", JSON.stringify(answer));
      assert.equal(answer.reason, reason);
      assert.match(answer.why, why);
      assert.equal(stage.service.view().registrations.size, 2);
    });
  }
});

suite("classes and netblocks", () => {
  const cases: readonly {
    readonly name: string;
    readonly command: Command<unknown>;
    readonly answer: RegExp;
  }[] = [
    {
      name: "a class made again is the same one",
      command: createClass({ uuid: classId("lab"), name: "lab" }),
      answer: /^done false$/,
    },
    {
      name: "a class of a name that is taken is refused",
      command: createClass({ uuid: id(7), name: "lab" }),
      answer: /^NameTaken class .* is called lab$/,
    },
    {
      name: "a class of a uuid that is taken is refused",
      command: createClass({ uuid: classId("lab"), name: "other" }),
      answer: /^UuidTaken .* is class lab$/,
    },
    { name: "a class may be renamed", command: renameClass("lab", "labs"), answer: /^done false$/ },
    {
      name: "a class may not be renamed to another one",
      command: renameClass("lab", "bare"),
      answer: /^NameTaken/,
    },
    { name: "an empty class may go", command: deleteClass("bare"), answer: /^done false$/ },
    {
      name: "a class in use stays",
      command: deleteClass("lab"),
      answer: /^ClassInUse class lab has 2 netblocks, 1 registrations$/,
    },
    {
      name: "a netblock may not overlap inside its class",
      command: createNetblock({ uuid: id(7), class: "lab", range: range("192.0.2.3-192.0.2.9") }),
      answer:
        /^NetblockOverlap 192\.0\.2\.3-192\.0\.2\.9 overlaps with netblock 192\.0\.2\.0-192\.0\.2\.3 of class lab$/,
    },
    {
      name: "an IPv6 netblock may not overlap inside its class either",
      command: createNetblock({ uuid: id(7), class: "lab", range: range("2001:db8::8000:0/97") }),
      answer: /^NetblockOverlap/,
    },
    {
      name: "a netblock may overlap with one of another class",
      command: createNetblock({ uuid: id(7), class: "bare", range: range("192.0.2.0/24") }),
      answer: /^done true$/,
    },
    {
      name: "a netblock of multicast addresses is refused",
      command: createNetblock({ uuid: id(7), class: "bare", range: range("224.0.0.0/24") }),
      answer: /^BadNetblock .* holds multicast addresses$/,
    },
    {
      name: "a netblock may grow over where it was",
      command: changeNetblock(blockId("lab", 0), range("192.0.2.0/29")),
      answer: /^done false$/,
    },
    {
      name: "a netblock may shrink to what is held",
      command: changeNetblock(blockId("lab", 0), range("192.0.2.0")),
      answer: /^done false$/,
    },
    {
      name: "a netblock may not shrink under what is held",
      command: changeNetblock(blockId("lab", 0), range("192.0.2.1-192.0.2.3")),
      answer: /^NetblockInUse registration .*001 holds 192\.0\.2\.0 of 192\.0\.2\.0-192\.0\.2\.3$/,
    },
    {
      name: "a netblock in use stays",
      command: deleteNetblock(blockId("lab", 0)),
      answer: /^NetblockInUse/,
    },
    {
      name: "a netblock that nobody uses may go",
      command: deleteNetblock(blockId("lab", 1)),
      answer: /^done false$/,
    },
    {
      name: "what is not there is said so",
      command: deleteNetblock(id(8)),
      answer: /^UnknownNetblock/,
    },
  ];
  for (const { name, command, answer } of cases) {
    test(name, async () => {
      await using stage = await makeStage({ lab: ["192.0.2.0/30", "2001:db8::/64"], bare: [] });
      await stage.register(1);
      const got = await stage.service.run(command);
      const text = got.kind === "done" ? `done ${got.isNew}` : `${got.reason} ${got.why}`;
      assert.match(text, answer);
    });
  }
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

interface Stage extends AsyncDisposable {
  readonly service: IpamService;
  readonly clock: FakeClock;
  readonly medium: MemoryIpamMedium;
  /** Registers the client of this number; resolves with its address. */
  register(
    client: number,
    wish?: Partial<Omit<RegisterWish, "address">> & { readonly wish?: string },
  ): Promise<string>;
  /** Runs a command that is not refused. */
  done<T>(command: Command<T>): Promise<T>;
  /** Whether commits fail from now on. */
  fail(isFailing: boolean): void;
  /** Whether they are made, and their answers get lost. */
  lose(isLosing: boolean): void;
  /** Commits so far. */
  commits(): number;
}

async function makeStage(
  classes: Readonly<Record<string, readonly string[]>>,
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
  const log = createLogger({ level: "silent", format: "json" });
  const service = await createIpamService({
    store,
    clock,
    log,
    leaseMs: LEASE_MS,
    graceMs: GRACE_MS,
  });
  const done = async <T>(command: Command<T>): Promise<T> => {
    const answer = await service.run(command);
    assert.ok(answer.kind === "done", JSON.stringify(answer));
    return answer.value;
  };
  for (const [name, ranges] of Object.entries(classes)) {
    await done(createClass({ uuid: classId(name), name }));
    for (const [index, text] of ranges.entries()) {
      await clock.advance(1);
      const block = { uuid: blockId(name, index), class: name, range: range(text) };
      await done(createNetblock(block));
    }
  }
  return {
    service,
    clock,
    medium,
    done,
    register: async (client, { wish, ...rest } = {}) => {
      const address = wish === undefined ? {} : { address: addressOf(wish) };
      const asked = { class: "lab", uuid: id(client), ...rest, ...address };
      return (await done(register(asked))).address;
    },
    fail: (isFailingNow) => {
      isFailing = isFailingNow;
    },
    lose: (isLosingNow) => {
      isLosing = isLosingNow;
    },
    commits: () => commits,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

function id(n: number): Uuid {
  return present(parseUuid(`00000000-0000-4000-8000-${`${n}`.padStart(12, "0")}`), "a uuid");
}

function classId(name: string): Uuid {
  const code = Buffer.from(name.slice(0, 6)).toString("hex").padEnd(12, "0");
  return present(parseUuid(`c0000000-0000-4000-8000-${code}`), "a uuid");
}

function blockId(name: string, index: number): Uuid {
  return present(parseUuid(`${index}${classId(name).slice(1)}`), "a uuid");
}

function range(text: string): Parameters<typeof changeNetblock>[1] {
  const parsed = parseRange(text);
  assert.ok(parsed.kind === "ok", text);
  return parsed.value;
}

function addressOf(text: string): NonNullable<RegisterWish["address"]> {
  return present(parseAddress(text), text);
}

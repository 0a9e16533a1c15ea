// Announcements on the wire of a sandbox: a neighbour that still has the MAC address of the host
// that lost a VIP learns ours, in both families, without asking. The programs are the real ones;
// the second of the two announcements comes by a fake clock.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { parseAddress, parseDeviceName, present } from "@fairlead/model";
import {
  createFakeClock,
  createLogger,
  createSystemClock,
  type FakeClock,
} from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";

import { askThere, ip, ipThere, makeNeighbour, run } from "../neighbour-stage.ts";
import type { Announcer } from "../ports.ts";
import { type AnnouncerOptions, createAnnouncer } from "./announcer.ts";

const MAC = "02:00:00:00:00:01";
/** Of the host that had the addresses before. */
const OLD_MAC = "02:00:00:00:de:ad";
const [VIP, VIP6] = ["192.0.2.100", "2001:db8::100"];
/** Ours as well, and told of to nobody. */
const [UNTOLD, UNTOLD6] = ["192.0.2.101", "2001:db8::101"];
const ALL = [VIP, VIP6, UNTOLD, UNTOLD6];
/** Programs run in this time on the slowest machine. */
const WAIT_MS_MAX = 10_000;
const AGAIN_MS = 1000;

type Places = Parameters<Announcer["announce"]>[0];

function places(...texts: readonly string[]): Places {
  const link = present(parseDeviceName("eth0"), "a device");
  return texts.map((text) => ({ address: present(parseAddress(text), text), link }));
}

interface Stage extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly announcer: Announcer;
  readonly lines: readonly string[];
}

function makeStage(changes: Partial<AnnouncerOptions> = {}): Stage {
  const clock = createFakeClock();
  const lines: string[] = [];
  const destination = { write: (text: string): void => void lines.push(text) };
  const announcer = createAnnouncer({
    arping: "/usr/bin/arping",
    ndptool: "/usr/bin/ndptool",
    clock,
    log: createLogger({ level: "info", format: "text", destination }),
    ...changes,
  });
  return { clock, announcer, lines, [Symbol.asyncDispose]: announcer[Symbol.asyncDispose] };
}

/** The neighbour has just talked with the old host. */
async function forgetUs(): Promise<void> {
  await ipThere(...ALL.map((text) => `neigh replace ${text} lladdr ${OLD_MAC} dev eth0 nud stale`));
}

/** The MAC addresses that the neighbour would send to, in the order of ALL. */
async function seenThere(): Promise<readonly string[]> {
  const table = await askThere("neigh", "show", "dev", "eth0");
  return ALL.map((text) => {
    const line = table.split("\n").find((one) => one.startsWith(`${text} `));
    return /lladdr (\S+)/.exec(line ?? "")?.[1] ?? "";
  });
}

/** Asks until the answer is this one, and fails with what it is instead. */
async function until<T>(ask: () => Promise<T>, wanted: T): Promise<void> {
  const clock = createSystemClock();
  const endMs = clock.nowMs() + WAIT_MS_MAX;
  let seen = await ask();
  while (JSON.stringify(seen) !== JSON.stringify(wanted) && clock.nowMs() < endMs) {
    seen = await ask();
  }
  assert.deepEqual(seen, wanted);
}

/** Whether packets get through, here and there. */
async function carriers(): Promise<readonly string[]> {
  const words = ["link", "show", "dev", "eth0"];
  const both = [await run("/usr/sbin/ip", words), await askThere(...words)];
  return both.map((text) => /state (\S+)/.exec(text)?.[1] ?? "");
}

inSandbox({ file: import.meta.url, name: "announcer" }, () => {
  before(async () => {
    await makeNeighbour(["address add 192.0.2.12/24 dev eth0"]);
    await ip(
      `link set eth0 address ${MAC}`,
      ...ALL.map((text) => `address add ${text} dev eth0${text.includes(":") ? " nodad" : ""}`),
    );
    await until(carriers, ["UP", "UP"]);
  });

  test("a neighbour that has an old MAC address of a VIP learns the new one, twice", async () => {
    await using stage = makeStage();
    await forgetUs();
    assert.deepEqual(await seenThere(), [OLD_MAC, OLD_MAC, OLD_MAC, OLD_MAC]);
    stage.announcer.announce(places(VIP, VIP6));
    await until(seenThere, [MAC, MAC, OLD_MAC, OLD_MAC]);
    // As if the first had been lost.
    await forgetUs();
    await stage.clock.advance(AGAIN_MS);
    await until(seenThere, [MAC, MAC, OLD_MAC, OLD_MAC]);
    assert.deepEqual(stage.lines, []);
    assert.equal(stage.clock.pendingTimers(), 0);
  });

  test("an agent that stops tells of nothing any more", async () => {
    await forgetUs();
    const stage = makeStage();
    stage.announcer.announce(places(VIP, VIP6));
    await until(seenThere, [MAC, MAC, OLD_MAC, OLD_MAC]);
    await stage[Symbol.asyncDispose]();
    assert.equal(stage.clock.pendingTimers(), 0);
    stage.announcer.announce(places(UNTOLD, UNTOLD6));
    assert.equal(stage.clock.pendingTimers(), 0);
  });

  test("what cannot be told of is said in the log, once while it stays the same", async () => {
    await using stage = makeStage({ arping: undefined });
    stage.announcer.announce(places(UNTOLD, VIP));
    await stage.clock.advance(AGAIN_MS);
    assert.equal(stage.lines.length, 1, stage.lines.join(""));
    assert.match(stage.lines.join(""), /WARN.*not announced.*arping is not installed/);
  });
});

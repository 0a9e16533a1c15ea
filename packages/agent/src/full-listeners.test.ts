// When a listener over UDP is said to be full, and when to have room again: once each, by name.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Address, type Remark, type Revision, present } from "@fairlead/model";
import { createFakeClock, createLogger } from "@fairlead/runtime";
import { address, agentName, listenerOf } from "@fairlead/testkit";

import { NOTHING_APPLIED, type ServedListener } from "./applied.ts";
import { createFullListeners } from "./full-listeners.ts";
import { createReporter } from "./outcome.ts";

const [ONE, TWO] = [address("198.18.1.0"), address("198.18.1.1")];

function served(at: string, service: Address, connectionsMax?: number): ServedListener {
  const change = connectionsMax === undefined ? {} : { connectionsMax };
  const [listener, members] = listenerOf(at, ["10.0.0.1:53"], change);
  const revision = "0".repeat(32) as Revision;
  const place = { service, slots: 24 } as const;
  return { listener, members, revision, membersRevision: revision, place };
}

function stage(listeners: readonly ServedListener[]) {
  const lines: string[] = [];
  const clock = createFakeClock();
  const counts = new Map<Address, number>();
  const host = { isBroken: false };
  const log = createLogger({
    level: "info",
    format: "json",
    destination: {
      write: (line) => {
        const { level, listener = "", sessionsMax = "" } = JSON.parse(line) as LogLine;
        lines.push(`${level} ${listener} ${sessionsMax}`.trim());
      },
    },
  });
  const applied = {
    ...NOTHING_APPLIED,
    udpGeneration: "0123456789abcdef",
    listeners: new Map(listeners.map((one) => [one.listener.name, one])),
  };
  const teller = createFullListeners({
    clock,
    log,
    sessions: async () => {
      if (host.isBroken) throw new Error("no such file");
      return counts;
    },
    sessionsMax: 100,
  });
  teller.start(() => ({ applied }));
  const said = async (): Promise<readonly string[]> => {
    lines.length = 0;
    await clock.advance(10_000);
    return [...lines];
  };
  return { counts, host, said, teller };
}

interface LogLine {
  readonly level: string;
  readonly listener?: string;
  readonly sessionsMax?: number;
}

test("a full listener is named once, and again when it has room", async () => {
  const { counts, said, teller } = stage([
    served("192.0.2.100:53/udp", ONE),
    served("192.0.2.101:53/udp", TWO, 500),
  ]);
  await using _ended = teller;
  counts.set(ONE, 99).set(TWO, 499);
  assert.deepEqual(await said(), []);
  counts.set(ONE, 100);
  assert.deepEqual(await said(), ["warn listener/192.0.2.100/udp/53 100"]);
  const first = {
    reason: "ListenerFull",
    detail: "192.0.2.100:53/UDP of default/web has the 100 sessions that it may have",
  };
  assert.deepEqual(teller.remarks(), [first]);
  counts.set(ONE, 95).set(TWO, 500);
  assert.deepEqual(await said(), ["warn listener/192.0.2.101/udp/53 500"]);
  counts.set(ONE, 89);
  assert.deepEqual(await said(), ["info listener/192.0.2.100/udp/53"]);
  counts.delete(TWO);
  assert.deepEqual(await said(), ["info listener/192.0.2.101/udp/53"]);
  assert.deepEqual(teller.remarks(), []);
});

test("what is served over TCP is none of its business, and a failure is said once", async () => {
  const tcp = served("192.0.2.100:53/tcp", ONE);
  const { counts, host, said, teller } = stage([tcp]);
  await using _ended = teller;
  counts.set(present(tcp.place, "a place").service, 1000);
  assert.deepEqual(await said(), []);
  host.isBroken = true;
  assert.deepEqual(await said(), ["warn"]);
  assert.deepEqual(await said(), []);
});

test("a report has what is full for as long as it is", () => {
  const kernel = { addresses: [], links: [] };
  const seen = { generation: undefined, udpGeneration: undefined, keepalivedAlive: false };
  const observed = { kernel, ...seen, generations: [], routers: [] };
  const full: Remark = { reason: "ListenerFull", detail: "it has the 100 sessions" };
  const report = createReporter();
  const reported = (more: { readonly full?: readonly Remark[] }): readonly Remark[] =>
    report({
      agent: agentName("a"),
      sequence: 1,
      epoch: 1,
      wanted: undefined,
      coming: [undefined, undefined],
      applied: NOTHING_APPLIED,
      appliedPlan: undefined,
      observed: { ...observed, ...more },
      outlook: { seen: new Map(), hearing: [], silences: new Map() },
      ledger: [],
      reloads: 0,
      remarks: [],
    }).remarks;
  assert.deepEqual(reported({ full: [full] }), [full]);
  assert.deepEqual(reported({}), []);
});

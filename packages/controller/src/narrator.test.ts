// Lines of many changes: a few at a time, in order, and none is lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";

import type { Finding, Verdict } from "@fairlead/model";
import { createLogger } from "@fairlead/runtime";
import { address, agentName, makeClaim } from "@fairlead/testkit";

import { NOTHING_SAID, type Said } from "./narrate.ts";
import { createNarrator } from "./narrator.ts";

function saidOf(count: number, state: Verdict["state"]): Said {
  const verdicts = Array.from({ length: count }, (_, i): Verdict => {
    const { id, uid } = makeClaim(`web-${i}`);
    return { claim: id, uid, generation: 1, state, addresses: [], conditions: [], remarks: [] };
  });
  return { ...NOTHING_SAID, verdicts: new Map(verdicts.map((one) => [one.claim, one])) };
}

function makeStage(): { readonly lines: string[]; readonly log: ReturnType<typeof createLogger> } {
  const lines: string[] = [];
  const write = (line: string): unknown => lines.push(line);
  const log = createLogger({ level: "info", format: "json", destination: { write } });
  return { lines, log };
}

test("a few lines are written before anything else happens", () => {
  const { lines, log } = makeStage();
  using narrator = createNarrator(log);
  narrator.tell(saidOf(100, "pending"));
  assert.equal(lines.length, 100);
});

test("of many lines others get their turn between them, and the order stays", async () => {
  const { lines, log } = makeStage();
  using narrator = createNarrator(log);
  narrator.tell(saidOf(1000, "pending"));
  const atOnce = lines.length;
  assert.ok(atOnce > 0 && atOnce < 300, `${atOnce} lines at once`);
  narrator.tell(saidOf(1000, "ready"));
  assert.equal(lines.length, atOnce);
  while (lines.length < 2000) await setImmediate();
  assert.ok(lines.slice(0, 1000).every((line) => line.includes('"pending"')));
  assert.ok(lines.slice(1000).every((line) => line.includes('"ready"')));
});

test("moments that come faster than they are told are not gathered for ever", () => {
  const { lines, log } = makeStage();
  using narrator = createNarrator(log);
  for (let i = 0; i < 20; i++) narrator.tell(saidOf(1000, i % 2 === 0 ? "pending" : "ready"));
  assert.ok(lines.length > 3000, `${lines.length} lines`);
});

test("what still waits is written at the end", () => {
  const { lines, log } = makeStage();
  {
    using narrator = createNarrator(log);
    narrator.tell(saidOf(1000, "pending"));
  }
  assert.equal(lines.length, 1000);
});

test("when the lead was lost the log said of each claim that nobody asked for it any more", () => {
  const { lines, log } = makeStage();
  using narrator = createNarrator(log);
  const of = (name: string): Finding => {
    return { subject: "source", name, reason: "SourceUnreadable", detail: "gone" };
  };
  narrator.tell({ ...saidOf(2, "ready"), findings: [of("a"), of("plan")] });
  lines.length = 0;
  narrator.tellStandby({ ...NOTHING_SAID, findings: [of("a"), of("b")] });
  const [line, ...others] = lines.map((one) => JSON.parse(one) as Record<string, unknown>);
  assert.deepEqual([line?.["msg"], line?.["name"], others], ["found", "b", []]);
  lines.length = 0;
  narrator.tell(saidOf(2, "ready"));
  assert.deepEqual(
    lines.map((one) => (JSON.parse(one) as Record<string, unknown>)["msg"]),
    ["ready", "ready", "no longer found", "no longer found"],
  );
});

test("moves are written in their turn, each with the gap as it is known", () => {
  const { lines, log } = makeStage();
  using narrator = createNarrator(log);
  const [from, to] = [agentName("lb-1"), agentName("lb-2")];
  const base = { address: address("192.0.2.100"), from, to, atMs: 0, why: "", heard: "" } as const;
  narrator.tellMoves([]);
  narrator.tellMoves([
    { ...base, isPlanned: true, gapMs: 12, why: "lb-1 is drained" },
    { ...base, isPlanned: false, gapMs: 2000, isGapAtMost: true },
    { ...base, isPlanned: false },
  ]);
  const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    said.map(({ msg, level, cause, gap, why }) => [msg, level, cause, gap, why]),
    [
      ["moved", "info", "planned", "12 ms", "lb-1 is drained"],
      ["moved", "info", "unplanned", "at most 2000 ms", undefined],
      ["moved", "info", "unplanned", "not known", undefined],
    ],
  );
});

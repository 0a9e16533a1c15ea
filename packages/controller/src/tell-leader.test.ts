// What the log of a standby says about the one who leads: nothing twice, and nothing of the moment
// between two leaders.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createLogger } from "@fairlead/runtime";

import { type LeaderTeller, createLeaderTeller } from "./tell-leader.ts";

function makeStage(): { readonly teller: LeaderTeller; readonly lines: () => string[] } {
  let text = "";
  const destination = { write: (more: string) => void (text += more) };
  const log = createLogger({ level: "info", format: "text", destination });
  return {
    teller: createLeaderTeller({ log, onOwner: () => undefined }),
    lines: () => {
      const lines = text.split("\n").filter((line) => line !== "");
      text = "";
      return lines.map((line) => line.replace(/^\S+ /, ""));
    },
  };
}

const by = (holder: string): { leads: boolean; holder: string } => ({ leads: false, holder });
const NOBODY = { leads: false };

test("one that stands by tells each leader once, and not the moment between two", () => {
  const { teller, lines } = makeStage();
  teller.standBy(by("lb1"));
  teller.see(by("lb1"));
  assert.deepEqual(lines(), ["INFO  standing by holder=lb1"]);
  teller.see(NOBODY);
  teller.see(by("lb1"));
  assert.deepEqual(lines(), []);
  teller.see(NOBODY);
  teller.see(by("lb2"));
  assert.deepEqual(lines(), ["INFO  standing by holder=lb2"]);
});

test("one for which nobody leads at its start says so", () => {
  const { teller, lines } = makeStage();
  teller.standBy(NOBODY);
  assert.deepEqual(lines(), ["INFO  standing by holder=nobody"]);
});

test("an election out of sight is told once with its trouble, and once when it is seen again", () => {
  const { teller, lines } = makeStage();
  teller.standBy(by("lb1"));
  lines();
  teller.see({ ...by("lb1"), trouble: "no member answers" });
  teller.see({ ...by("lb1"), trouble: "no member answers yet" });
  assert.deepEqual(lines(), ['WARN  it is not known who leads trouble="no member answers"']);
  teller.see(by("lb1"));
  assert.deepEqual(lines(), ["INFO  standing by holder=lb1"]);
});

test("one that led and lost sight of the lead says so when it stands by", () => {
  const { teller, lines } = makeStage();
  teller.standBy({ ...NOBODY, trouble: "no member answers" });
  assert.deepEqual(lines(), ['WARN  it is not known who leads trouble="no member answers"']);
});

// What an agent says of its host in its log: each trouble once, with its code and what to do, and
// its end.

import assert from "node:assert/strict";
import { test } from "node:test";

import { REASONS, type Remark, type ResourceName, type Revision } from "@fairlead/model";
import { createLogger } from "@fairlead/runtime";

import type { Problem } from "./applied.ts";
import { logChanges } from "./log-changes.ts";

type Outcome = Parameters<typeof logChanges>[1];

const NOTHING: Outcome = { problems: new Map(), remarks: [] };
const DISK: Remark = { reason: "DiskUnwritable", detail: "cannot record: ENOSPC" };
const PORT: Problem = {
  reason: "PortTaken",
  detail: "sshd (pid 7) has 192.0.2.100:80",
  revision: "1" as Revision,
};
const LISTENER = "listener/192.0.2.100/tcp/80" as ResourceName;

/** What the log says while these follow each other. */
function said(...outcomes: readonly Outcome[]): readonly Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (text: string): unknown => lines.push(JSON.parse(text) as Record<string, unknown>),
  };
  const log = createLogger({ level: "info", format: "json", destination });
  outcomes.forEach((after, i) => logChanges(log, outcomes[i - 1] ?? NOTHING, after));
  return lines;
}

test("a trouble is said once with its code and what to do, and so is its end", () => {
  const full = { ...NOTHING, remarks: [DISK] };
  const lines = said(full, full, NOTHING, NOTHING);
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ["trouble on this host", "that trouble has passed"],
  );
  const [first, last] = lines;
  const { code, remedy } = REASONS.DiskUnwritable;
  assert.deepEqual(
    [first?.["code"], first?.["todo"], first?.["detail"]],
    [code, remedy, DISK.detail],
  );
  assert.equal(last?.["reason"], "DiskUnwritable");
});

test("a trouble of the same kind that says something else is said anew, and has one end", () => {
  const more = { ...DISK, detail: "cannot record: EROFS" };
  const lines = said({ ...NOTHING, remarks: [DISK] }, { ...NOTHING, remarks: [more] }, NOTHING);
  assert.deepEqual(
    lines.map(({ msg, detail }) => detail ?? msg),
    [DISK.detail, more.detail, "that trouble has passed"],
  );
});

test("what was left out is named with what to do, and said to be taken up", () => {
  const lines = said({ ...NOTHING, problems: new Map([[LISTENER, PORT]]) }, NOTHING);
  assert.deepEqual(
    lines.map(({ msg, resource, reason }) => [msg, resource, reason]),
    [
      ["left out", LISTENER, "PortTaken"],
      ["no longer left out", LISTENER, "PortTaken"],
    ],
  );
  assert.equal(lines[0]?.["todo"], REASONS.PortTaken.remedy);
});

// keepalived's words after a signal, as 2.2.7 really says them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { sinceReload, verdictOf } from "./words.ts";

const AT = "Sat Nov 21 10:17:54 2026: ";
const cases = [
  { name: "nothing yet", lines: [], isEmpty: false, wanted: "waiting" },
  { name: "reloading", lines: [`${AT}Reloading ...`], isEmpty: false, wanted: "waiting" },
  {
    name: "a reload was complete",
    lines: [`${AT}Reloading`, `${AT}Reload complete`, `${AT}(lane-51) Entering MASTER STATE`],
    isEmpty: false,
    wanted: "taken",
  },
  { name: "a first start", lines: [`${AT}Startup complete`], isEmpty: false, wanted: "taken" },
  {
    name: "its own check refused",
    lines: [`${AT}New config failed validation, see /dev/null for details`],
    isEmpty: false,
    wanted: "refused",
  },
  {
    name: "its checker could not work, and the old file was loaded again",
    lines: [`${AT}Couldn't setgroups: 0 (Operation not permitted)`, `${AT}Reload complete`],
    isEmpty: false,
    wanted: "refused",
  },
  {
    name: "a start without lanes",
    lines: [`${AT}Warning - keepalived has no configuration to run`],
    isEmpty: true,
    wanted: "taken",
  },
  {
    name: "a start that found nothing of a file with lanes",
    lines: [`${AT}Warning - keepalived has no configuration to run`],
    isEmpty: false,
    wanted: "waiting",
  },
] as const;

for (const c of cases) {
  test(`keepalived says: ${c.name}`, () => {
    assert.equal(verdictOf(c.lines, c.isEmpty), c.wanted);
  });
}

test("the start of one that is told to reload at once is no word about the reload", () => {
  const started = [`${AT}Starting VRRP child process, pid=7`, `${AT}Startup complete`];
  assert.deepEqual(sinceReload(started), []);
  assert.equal(verdictOf(sinceReload([...started, `${AT}Reloading ...`]), false), "waiting");
  // Its first child is started by a reload where it had no lane before.
  assert.equal(verdictOf(sinceReload([`${AT}Reloading ...`, ...started]), false), "taken");
});

test("the end of a reload that an agent before this one asked for is no word about this one", () => {
  const before = `${AT}Reload complete`;
  assert.equal(verdictOf(sinceReload([before]), false), "waiting");
  assert.equal(verdictOf(sinceReload([before, `${AT}Reloading ...`]), false), "waiting");
  const both = [before, `${AT}Reloading ...`, before];
  assert.equal(verdictOf(sinceReload(both), false), "taken");
});

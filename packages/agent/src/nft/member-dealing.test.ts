// Many members for many listeners at once: how the agent's loop fares while slots are dealt. The
// program nft is played by one that takes everything.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";

import { listenerOf } from "@fairlead/testkit";

import { fillBy, OPTIONS } from "./member-stage.ts";
import { createMemberTable } from "./member-table.ts";

const LISTENERS = 100;
/** So many have the most slots that there are. */
const MEMBERS = 250;
/** Of all listeners, how many are dealt before the loop has a turn. */
const AT_ONCE_MAX = LISTENERS / 10;

test("a host that starts with many members looks at its daemons while it deals them", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-dealing-"));
  const placesFile = join(folder.path, "places");
  await using table = await createMemberTable({ ...OPTIONS, nft: "/bin/true", placesFile });
  const members = Array.from({ length: MEMBERS }, (_, n) => `10.0.0.${n + 1}:80`);
  const all = Array.from({ length: LISTENERS }, (_, n): [string, string[]] => [
    `192.0.2.1:${1000 + n}/tcp`,
    members,
  ]);
  // Whoever deals a listener's slots asks each of its members for its weight.
  const dealt = new Set<string>();
  const fill = fillBy((at, some) => {
    const [listener, set] = listenerOf(at, some);
    const watched = set.members.map((member) => ({
      ...member,
      get weight(): number {
        dealt.add(at);
        return 1;
      },
    }));
    return [listener, { ...set, members: watched }];
  });
  let isFilled = false;
  const filled = fill(table, all).finally(() => (isFilled = true));
  while (!existsSync(placesFile)) await setImmediate();
  dealt.clear();
  let most = 0;
  let before = 0;
  while (!isFilled) {
    await setImmediate();
    most = Math.max(most, dealt.size - before);
    before = dealt.size;
  }
  await filled;
  assert.equal(dealt.size, LISTENERS);
  assert.ok(most <= AT_ONCE_MAX, `${most} listeners were dealt at once`);
});

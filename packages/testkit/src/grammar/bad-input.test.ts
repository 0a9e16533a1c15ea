// Whatever users write, the whole ring makes files of our words alone out of it: hostile objects go
// through the source, claims, planning and rendering of real loops, and what the daemons are given
// is read back by the strict readers. A failure prints the seed that repeats it.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { present } from "@fairlead/model";
import { createRing, type Ring } from "../scenario/ring.ts";
import { usualService } from "../scenario/manifests.ts";
import { guardScripts, memberScripts } from "./host-scripts.ts";
import { hostileObject, type HostileObject, objectsWith } from "./hostile-objects.ts";
import { MARK, STRANGE } from "./hostile-text.ts";
import { readKeepalived } from "./keepalived-grammar.ts";
import { GUARD_WORDS, MEMBER_WORDS, nftFaults } from "./nft-grammar.ts";
import { readNginx } from "./nginx-grammar.ts";

const RUNS = 4;
/** Objects that lie in the folder together. */
const OBJECTS = 40;
/** Everybody meets, and what can be served is served. */
const SETTLE_MS = 20_000;
const GOOD = "192.0.2.100";
const HOSTS = new Map([
  ["lb1", "192.0.2.11/24"],
  ["lb2", "192.0.2.12/24"],
]);

interface Seen {
  readonly ring: Ring;
  readonly log: readonly string[];
}

/** A ring that has served a good Service, and then found these objects beside it. */
async function ringWith(objects: readonly HostileObject[]): Promise<Seen> {
  let log = "";
  const ring = createRing({
    seed: 1,
    faultRate: 0,
    hosts: HOSTS,
    pools: ["lan=192.0.2.100-192.0.2.150"],
    log: { write: (text) => void (log += text) },
  });
  for (const { path, text } of usualService("good", ["tcp/80"])) ring.folder.write(path, text);
  const isServed = await ring.clock.advanceUntil(() => isGoodServed(ring), SETTLE_MS);
  assert.ok(isServed, "the good Service is served before");
  for (const [index, object] of objects.entries()) {
    ring.folder.write(`bad-${index}.yaml`, `${JSON.stringify(object)}\n`);
  }
  await ring.clock.advance(SETTLE_MS);
  return { ring, log: log.split("\n") };
}

function isGoodServed(ring: Ring): boolean {
  const holders = [...ring.agents.values()].filter(({ host }) => {
    const lines = host.lines();
    return lines.includes(`address ${GOOD}`) && lines.includes(`listen ${GOOD}:80`);
  });
  return holders.length === 1;
}

function knownTo({ controller }: Ring): { readonly findings: number; readonly claims: number } {
  const { view } = present(controller.context(), "a controller runs");
  return { findings: view.findings.length, claims: view.state.claims.size };
}

function assertClosed({ ring, log }: Seen): void {
  assert.ok(isGoodServed(ring), "the good Service is served as before");
  for (const { host, converge } of ring.agents.values()) {
    const [nginx, keepalived] = [host.nginxText(), host.keepalivedText()];
    const read = readNginx(nginx);
    assert.deepEqual([...read.faults, ...readKeepalived(keepalived).faults], []);
    const [guards, members] = [guardScripts(host), memberScripts(host)];
    for (const script of new Set(guards)) assert.deepEqual(nftFaults(script, GUARD_WORDS), []);
    for (const script of members) assert.deepEqual(nftFaults(script, MEMBER_WORDS), []);
    const all = [nginx, keepalived, ...guards, ...members].join("");
    assert.ok(!all.includes(MARK), "a word of a user is in a file");
    const wanted = present(converge, "the agent runs").view().wanted?.plan.resources.values() ?? [];
    const listeners = [...wanted].filter(({ kind }) => kind === "listener").length;
    assert.equal(read.listens.length, listeners, "as many listeners as the plan has");
    const [guard = "", table = ""] = [guards.at(-1), members[0]];
    for (const text of [guard, table]) assert.ok(text.includes(`${GOOD} . `), "and in the kernel");
  }
  const { findings, claims } = knownTo(ring);
  assert.ok(findings > 0 && claims > 1, "some were refused, and some are claims");
  for (const line of log.slice(0, -1)) {
    assert.match(line, /^\d{4}-\d\d-\d\dT/, "a torn line in the log");
    assert.doesNotMatch(line, /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
  }
}

test("hostile objects of every kind reach no daemon's file and disturb nobody", async () => {
  const some = fc.array(hostileObject, { minLength: OBJECTS, maxLength: OBJECTS });
  await fc.assert(
    fc.asyncProperty(some, async (objects) => assertClosed(await ringWith(objects))),
    { numRuns: RUNS },
  );
});

/** Each turn puts each of them somewhere else. */
const TURNS = 6;
for (let turn = 0; turn < TURNS; turn += 1) {
  test(`every control character and look-alike stays out of files, turn ${turn}`, async () => {
    assertClosed(await ringWith(objectsWith(STRANGE, turn * 7)));
  });
}

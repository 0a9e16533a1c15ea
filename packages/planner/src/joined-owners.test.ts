// What is said of a Service that joins another one's address while its hosts are out of reach: what
// they said before it came proves nothing for it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type AgentView, type Plan, type World, vipName } from "@fairlead/model";
import {
  address,
  findVerdict,
  makeClaim,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
  verdictLine,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const VIP = address("192.0.2.100");
const key = { sharingKey: "k" };
const web = makeClaim("web", { ...key, ports: ["tcp/80", "udp/53"], createdAtMs: 1 });
const smaller = makeClaim("web", { ...key, ports: ["tcp/80"], createdAtMs: 1 });
const dns = makeClaim("dns", { ...key, ports: ["udp/53"], createdAtMs: 2 });

interface Story {
  readonly world: World;
  readonly last: Plan;
}

/** Some time later, when these are the claims and the agents. */
function later(
  { world, last }: Story,
  change: Partial<Parameters<typeof nextWorld>[2]>,
  passedMs = 1000,
): Story {
  const next = nextWorld(world, last, { ...change, nowMs: world.nowMs + passedMs });
  return { world: next, last: planned(next) };
}

/** `web` alone is served. */
function served(): Story {
  const world = makeWorld({ claims: [web] });
  const first = { world, last: planned(world) };
  return later(first, { agents: proveAll(world, first.last) });
}

const unreachable = (view: AgentView): AgentView => ({
  ...view,
  connected: false,
  disconnectedAtMs: view.heardAtMs,
});

/** All of them are out of reach after these words. */
function silenced(story: Story, word: (view: AgentView) => AgentView): Story {
  const agents = Array.from(story.world.agents.values(), (view) => unreachable(word(view)));
  return later(story, { agents });
}

/** It said that it has no address, and that it serves what it did. */
function givenUp(view: AgentView): AgentView {
  if (view.report === undefined) return view;
  const resources = new Map(view.report.resources);
  const vip = resources.get(vipName(VIP));
  if (vip !== undefined) resources.set(vip.name, { ...vip, step: "applied", evidence: [] });
  return { ...view, heldSinceMs: new Map(), report: { ...view.report, resources } };
}

for (const [what, word] of [
  ["holds it by its last word", (view: AgentView) => view],
  ["had given it up", givenUp],
] as const) {
  test(`a Service that joins is not ready where the host out of reach ${what}`, () => {
    const dark = silenced(served(), word);
    assert.match(verdictLine(dark.last, "web"), /^ready 192\.0\.2\.100/);
    const { last } = later(dark, { claims: [smaller, dns] });
    assert.equal(verdictLine(last, "dns"), "pending 192.0.2.100 AgentUnreachable");
    assert.equal(findVerdict(last, "dns").addresses[0]?.published, false);
    assert.match(verdictLine(last, "web"), /^ready 192\.0\.2\.100/, "it was there before");
    assert.equal(findVerdict(last, "web").addresses[0]?.published, true);
  });
}

test("a Service that had joined stays ready when its hosts go out of reach, or are unknown", () => {
  const joining = later(served(), { claims: [smaller, dns] });
  const both = later(joining, { agents: proveAll(joining.world, joining.last, { revisionOf }) });
  assert.match(verdictLine(both.last, "dns"), /^ready/);
  // They are heard of again after it came.
  const agents = Array.from(both.world.agents.values(), (view) => ({
    ...view,
    heardAtMs: both.world.nowMs,
  }));
  const dark = silenced(later(both, { agents }), (view) => view);
  assert.match(verdictLine(dark.last, "dns"), /^ready/);
  const anew = later(dark, { agents: [] });
  assert.match(verdictLine(anew.last, "dns"), /^ready/, "a new leader knows no agent yet");
});

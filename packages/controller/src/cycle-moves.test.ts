// What a controller that comes to lead says of addresses that moved before: a host that died while
// nobody led was never told of. Loops over one store in memory; what moved under the leader before
// is not told again.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Fact } from "@fairlead/controller";
import { type Resource, assert as assertThat } from "@fairlead/model";
import {
  address,
  agentHello,
  agentName,
  agentProof,
  createMemoryMedium,
  type Delivered,
  type LeadStage,
  makeLeadStage,
  type MemoryMedium,
  ROUND_MS,
} from "@fairlead/testkit";

const VIP = address("192.0.2.100");
const OCTETS = { "lb-1": 11, "lb-2": 12 } as const;
type Host = keyof typeof OCTETS;
const HOSTS: readonly Host[] = ["lb-1", "lb-2"];
/** Longer than a first plan waits for an agent that is away. */
const WAIT_MS = 2100;

/** A host comes with what it has. */
function comes(delivered: Delivered, host: Host, holder: Host, silenceMs?: number): Fact[] {
  return [agentHello(host, OCTETS[host]), reportOf(delivered, host, holder, silenceMs)];
}

/** What a host says while that one holds the lane, which it took after so long a silence. */
function reportOf(delivered: Delivered, host: Host, holder: Host, silenceMs?: number): Fact {
  const holds = ({ kind }: Resource): boolean => kind !== "vip" || host === holder;
  const fact = agentProof(delivered, host, holds);
  const hello = agentHello(host, OCTETS[host]);
  assertThat(fact.kind === "agent-report" && hello.kind === "agent-hello", "it reports");
  const told = silenceMs === undefined || host !== holder ? {} : { silenceMs };
  const lanes = fact.report.lanes.map((lane) => ({ ...lane, ...told }));
  return { ...fact, report: { ...fact.report, lanes, links: hello.hello.links } };
}

/** Two hosts come, and serve what they are told; who holds the address, and what they have. */
async function serve(peer: LeadStage): Promise<Served> {
  peer.say(...HOSTS.map((host) => agentHello(host, OCTETS[host])));
  await peer.clock.advance(ROUND_MS);
  const [lane] = peer.cycle.view().plan?.lanes.values() ?? [];
  const from = HOSTS.find((host) => host === lane?.order[0]);
  const to = HOSTS.find((host) => host !== from);
  assertThat(from !== undefined && to !== undefined, "one of the two is to hold it");
  for (let round = 0; round < 3; round += 1) {
    const last = lastOf(peer);
    peer.say(...HOSTS.map((host) => reportOf(last, host, from)));
    await peer.clock.advance(1000);
  }
  return { from, to, last: lastOf(peer) };
}

interface Served {
  readonly from: Host;
  readonly to: Host;
  readonly last: Delivered;
}

function lastOf(peer: LeadStage): Delivered {
  const last = peer.delivered.at(-1);
  assertThat(last !== undefined, "it delivered");
  return last;
}

/** One leader had both hosts, and leads no more. */
async function ledBefore(medium: MemoryMedium): Promise<Served> {
  await using before = await makeLeadStage({ medium });
  await before.lead();
  const served = await serve(before);
  assert.deepEqual(before.cycle.view().moves.size, 0);
  await before.lose();
  return served;
}

/** The next one leads, and hears this. */
async function nextLeads(medium: MemoryMedium, ...facts: readonly Fact[]): Promise<LeadStage> {
  const next = await makeLeadStage({ medium });
  await next.lead();
  next.say(...facts);
  await next.clock.advance(WAIT_MS);
  assert.equal(next.cycle.view().notReady, undefined);
  return next;
}

/** What the log says of moves. */
function movedLines({ lines }: LeadStage): readonly unknown[] {
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === "moved")
    .map(({ level, address: vip, from, to, cause, gap, why }) => [
      level,
      vip,
      from,
      to,
      cause,
      gap,
      why,
    ]);
}

suite("a controller that comes to lead", () => {
  test("a takeover while nobody led was told by nobody", async () => {
    const medium = createMemoryMedium();
    const { from, to, last } = await ledBefore(medium);
    await using next = await nextLeads(medium, ...comes(last, to, to, 342));
    const [record, ...others] = next.cycle.view().moves.get(VIP) ?? [];
    assert.deepEqual(others, []);
    assert.deepEqual(
      [record?.from, record?.to, record?.isPlanned, record?.gapMs, record?.isGapAtMost],
      [from, to, false, 342, undefined],
    );
    const why = `${from} is out of reach; ${from} had it before this controller led`;
    assert.equal(record?.why, why);
    assert.deepEqual(movedLines(next), [["info", VIP, from, to, "unplanned", "342 ms", why]]);
    assert.deepEqual(next.published.at(-1)?.moves.get(VIP), [record]);
  });

  test("a host that is back by then is not called out of reach", async () => {
    const medium = createMemoryMedium();
    const { from, to, last } = await ledBefore(medium);
    const facts = [...comes(last, from, to), ...comes(last, to, to, 342)];
    await using next = await nextLeads(medium, ...facts);
    const [record] = next.cycle.view().moves.get(VIP) ?? [];
    assert.deepEqual(
      [record?.gapMs, record?.why],
      [342, `${from} has it no more; ${from} had it before this controller led`],
    );
  });

  test("finds nothing where nothing moved, and writes nothing", async () => {
    const medium = createMemoryMedium();
    const { from, last } = await ledBefore(medium);
    const facts = HOSTS.flatMap((host) => comes(last, host, from));
    await using next = await nextLeads(medium, ...facts);
    assert.equal(next.cycle.view().moves.size, 0);
    assert.deepEqual([movedLines(next), next.commits()], [[], 0]);
  });

  test("does not tell again what the leader before it told", async () => {
    const medium = createMemoryMedium();
    await using before = await makeLeadStage({ medium });
    await before.lead();
    const { from, to } = await serve(before);
    before.say({ kind: "agent-gone", agent: agentName(from), atMs: 1 });
    before.say(reportOf(lastOf(before), to, to, 342));
    await before.clock.advance(1000);
    assert.equal(before.cycle.view().moves.get(VIP)?.length, 1);
    assert.equal(movedLines(before).length, 1);
    const last = lastOf(before);
    await before.lose();
    await using next = await nextLeads(medium, ...comes(last, to, to, 342));
    assert.deepEqual([next.cycle.view().moves.size, movedLines(next)], [0, []]);
  });

  test("does not tell again what the leader before it found", async () => {
    const medium = createMemoryMedium();
    const { to, last } = await ledBefore(medium);
    {
      await using finder = await nextLeads(medium, ...comes(last, to, to, 342));
      assert.equal(movedLines(finder).length, 1);
      await finder.lose();
    }
    await using next = await nextLeads(medium, ...comes(last, to, to, 342));
    assert.deepEqual([next.cycle.view().moves.size, movedLines(next)], [0, []]);
  });

  test("a takeover after its first plan was lost where the holder had not come by then", async () => {
    const medium = createMemoryMedium();
    const { from, to, last } = await ledBefore(medium);
    await using next = await nextLeads(medium, ...comes(last, to, from));
    assert.equal(next.cycle.view().moves.size, 0, "it stands by: somebody has it");
    next.say(reportOf(last, to, to, 342));
    await next.clock.advance(1000);
    const [record] = next.cycle.view().moves.get(VIP) ?? [];
    assert.deepEqual(
      [record?.from, record?.to, record?.gapMs, record?.why],
      [from, to, 342, `${from} is out of reach; ${from} had it before this controller led`],
    );
  });

  test("two that say that they have it are no move, until one has it no more", async () => {
    const medium = createMemoryMedium();
    const { from, to, last } = await ledBefore(medium);
    const facts = [...comes(last, from, from), ...comes(last, to, to)];
    await using next = await nextLeads(medium, ...facts);
    assert.equal(next.cycle.view().moves.size, 0);
    next.say(reportOf(lastOf(next), from, to));
    await next.clock.advance(1000);
    const [record] = next.cycle.view().moves.get(VIP) ?? [];
    assert.deepEqual([record?.from, record?.to], [from, to]);
  });

  test("waits for a successor that took over a moment ago, and then tells without a gap", async () => {
    const medium = createMemoryMedium();
    const { from, to, last } = await ledBefore(medium);
    const [hello, report] = comes(last, to, to);
    assertThat(hello?.kind === "agent-hello" && report !== undefined, "it says hello and reports");
    const able = { ...hello, hello: { ...hello.hello, capabilities: ["hearing"] as const } };
    await using next = await nextLeads(medium, able, report);
    assert.deepEqual(movedLines(next), []);
    assert.equal(next.cycle.view().moves.get(VIP)?.[0]?.isOpen, true);
    await next.clock.advance(2000);
    assert.deepEqual(
      movedLines(next).map((line) => (Array.isArray(line) ? line.slice(2, 6) : line)),
      [[from, to, "unplanned", "not known"]],
    );
  });
});

// What other hosts see of an address, as it is told: who answers instead, that nobody does, and
// nothing where the word is old or of nobody. No address is withdrawn by it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AgentView,
  type Plan,
  type ResourceReport,
  type Revision,
  type World,
  vipName,
} from "@fairlead/model";
import {
  address,
  findVerdict,
  makeAgent,
  makeClaim,
  makeLink,
  makeReport,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";

import { plan } from "./index.ts";
import { doubtOf, hasSameMacs } from "./sighted.ts";
import type { Witness } from "./witness.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const VIP = address("192.0.2.100");
const REVISION = "r" as Revision;
const STRANGER = "02:00:00:00:99:99";

const macOf = (n: number): string => `02:00:00:00:00:0${n}`;

function agentsWithMacs(): readonly AgentView[] {
  return [1, 2, 3].map((n) => {
    const link = { ...makeLink("eth0", [`192.0.2.1${n}/24`]), mac: macOf(n) };
    return makeAgent(`lb-${n}`, { links: [link] });
  });
}

/** What successors say, by their place behind the holder: a MAC, empty for nobody. */
interface Seen {
  readonly macs: readonly (string | undefined)[];
  /** Ms after the holder began. Default 1000. */
  readonly afterMs?: number;
  readonly connected?: boolean;
}

/** A served world in which successors say this, and its plan. `holder` stands for its own MAC. */
function told({ macs, afterMs = 1000, connected = true }: Seen): {
  readonly made: Plan;
  readonly holder: string;
  readonly others: readonly string[];
} {
  let world = makeWorld({ agents: agentsWithMacs(), claims: [makeClaim("web")] });
  let made = planned(world);
  for (let round = 0; round < 2; round++) {
    world = nextWorld(world, made, { agents: proveAll(world, made) });
    made = planned(world);
  }
  const [lane] = made.lanes.values();
  const [holder = "", ...others] = lane?.order ?? [];
  const own = macOf(Number(holder.slice(-1)));
  const agents = Array.from(world.agents.values(), (view) => {
    const mac = macs[others.indexOf(view.name)];
    const said = view.report?.resources.get(vipName(VIP));
    if (view.report === undefined || said === undefined || mac === undefined) return view;
    const evidence = [
      { kind: "neighbour", mac: mac === "holder" ? own : mac, seenBy: view.name } as const,
    ];
    const resources = new Map(view.report.resources).set(said.name, { ...said, evidence });
    const seenSinceMs = new Map([[VIP, world.nowMs + afterMs]]);
    return { ...view, connected, report: { ...view.report, resources }, seenSinceMs };
  });
  return { made: planned(nextWorld(world, made, { agents })), holder, others };
}

const cases: readonly {
  readonly name: string;
  readonly seen: Seen;
  readonly reason: string | undefined;
  readonly detail?: (holder: string, others: readonly string[]) => string;
}[] = [
  { name: "the holder's own address", seen: { macs: ["holder", "holder"] }, reason: undefined },
  {
    name: "a stranger's address, though another one sees the holder",
    seen: { macs: ["holder", STRANGER] },
    reason: "HolderWrong",
    detail: (holder, [, second]) =>
      `${STRANGER} answers for ${VIP} instead of ${holder}, as ${second} sees`,
  },
  {
    name: "nobody, for any of them",
    seen: { macs: ["", ""] },
    reason: "HolderUnseen",
    detail: (holder, others) =>
      `${others.toSorted().join(" and ")} asked for ${VIP}, and ${holder} did not answer`,
  },
  {
    name: "nobody for one, and the holder for another",
    seen: { macs: ["", "holder"] },
    reason: undefined,
  },
  { name: "nothing yet", seen: { macs: [undefined, undefined] }, reason: undefined },
  {
    name: "a stranger, before the holder began",
    seen: { macs: [STRANGER, STRANGER], afterMs: -1 },
    reason: undefined,
  },
  {
    name: "a stranger, by agents that are out of reach",
    seen: { macs: [STRANGER, STRANGER], connected: false },
    reason: undefined,
  },
];
for (const { name, seen, reason, detail } of cases) {
  test(`seen: ${name}`, () => {
    const { made, holder, others } = told(seen);
    const verdict = findVerdict(made, "web");
    assert.equal(verdict.main?.reason, reason);
    if (detail !== undefined) assert.equal(verdict.main?.detail, detail(holder, others));
    assert.equal(verdict.state, "ready");
    assert.equal(made.leases.get(VIP)?.published, true, "it stays published");
    const serving = verdict.conditions.find(({ type }) => type === "Serving");
    assert.equal(serving?.status, reason === undefined ? "True" : "Unknown");
  });
}

test("an agent of ours that answers instead is named", () => {
  const { others } = told({ macs: [] });
  const [first = "", second = ""] = others;
  const { made, holder } = told({ macs: [macOf(Number(second.slice(-1)))] });
  const mac = macOf(Number(second.slice(-1)));
  assert.equal(
    findVerdict(made, "web").main?.detail,
    `${second} (${mac}) answers for ${VIP} instead of ${holder}, as ${first} sees`,
  );
});

/** A successor that saw a stranger, and what is different from a word that counts. */
const words: readonly {
  readonly name: string;
  readonly said?: Partial<ResourceReport>;
  readonly holder?: Partial<AgentView>;
  readonly isHeard: boolean;
}[] = [
  { name: "one that stands by", isHeard: true },
  { name: "one that holds it by now", said: { step: "serving" }, isHeard: false },
  {
    name: "one that has trouble with it",
    said: { problem: { reason: "NotHeld", detail: "", revision: REVISION } },
    isHeard: false,
  },
  { name: "one that saw its own kernel alone", said: { evidence: [] }, isHeard: false },
  {
    name: "one, of a holder that is out of reach",
    holder: { connected: false },
    isHeard: false,
  },
  {
    name: "one, of a holder whose own hardware address is not known",
    holder: { hello: { ...makeAgent("lb-1").hello, links: [] } },
    isHeard: false,
  },
];
for (const { name, said, holder, isHeard } of words) {
  test(`whose word counts: ${name}`, () => {
    const [first, second] = agentsWithMacs();
    assert.ok(first !== undefined && second !== undefined);
    const row: ResourceReport = {
      name: vipName(VIP),
      revision: REVISION,
      step: "applied",
      evidence: [{ kind: "neighbour", mac: STRANGER, seenBy: second.name }],
      ...said,
    };
    const bare = makeReport(
      { agent: second.name, resources: new Map(), retained: [] },
      () => false,
      () => REVISION,
    );
    const report = { ...bare, resources: new Map([[row.name, row]]) };
    const witness = (view: AgentView): Witness => ({ view, isStale: false, handing: new Set() });
    const doubt = doubtOf({
      address: VIP,
      holders: [witness({ ...first, ...holder })],
      asked: [witness({ ...second, report })],
    });
    assert.equal(doubt?.reason, isHeard ? "HolderWrong" : undefined);
  });
}

test("an address is in no doubt that nobody holds", () => {
  assert.equal(doubtOf({ address: VIP, holders: [], asked: [] }), undefined);
});

test("hardware addresses are the same by what they are, and not by the list", () => {
  const [a, b] = agentsWithMacs();
  assert.ok(a !== undefined && b !== undefined);
  assert.equal(hasSameMacs(a, a), true);
  assert.equal(hasSameMacs(a, { ...a, hello: { ...a.hello, links: [...a.hello.links] } }), true);
  assert.equal(hasSameMacs(a, b), false);
});

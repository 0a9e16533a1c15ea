// What is said of a claim, as its agents' reports come in, stay away and contradict each other.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AgentName,
  type AgentReport,
  type AgentView,
  type Plan,
  type Remark,
  type ResourceName,
  type Verdict,
  type World,
  listenerName,
  present,
  vipName,
} from "@fairlead/model";
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
const LISTENER = listenerName(VIP, "tcp", 80);
const web = makeClaim("web");

/** A world in which `web` is served and published, with its plan and its lane's agents. */
function served(): { world: World; last: Plan; order: readonly AgentName[] } {
  const world = makeWorld({ claims: [web] });
  const first = planned(world);
  const proved = nextWorld(world, first, { agents: proveAll(world, first) });
  const last = planned(proved);
  const [lane] = last.lanes.values();
  return { world: proved, last, order: present(lane, "there is a lane").order };
}

type Change = (agent: AgentView) => AgentView;

/** The next plan after some agents changed and time passed. */
function after(changes: Readonly<Record<number, Change>>, passedMs = 0): Plan {
  const { world, last, order } = served();
  const agents = [...world.agents.values()].map((agent) => {
    const change = changes[order.indexOf(agent.name)];
    return change === undefined ? agent : change(agent);
  });
  return planned(nextWorld(world, last, { agents, nowMs: world.nowMs + passedMs }));
}

const gone: Change = (agent) => ({ ...agent, connected: false, disconnectedAtMs: 1_000_000 });

/** The agent lost the address so long after the world's time. */
function losing(passedMs: number): Change {
  return (agent) => ({ ...agent, lostAtMs: new Map([[VIP, served().world.nowMs + passedMs]]) });
}

function reporting(change: (report: AgentReport) => Partial<AgentReport>): Change {
  return (agent) => {
    const report = present(agent.report, "it reported");
    return { ...agent, report: { ...report, ...change(report) } };
  };
}

/** The agent says something else of one resource. */
function saying(name: ResourceName, step: "applied" | "serving", problem?: Remark): Change {
  return reporting((report) => {
    const known = present(report.resources.get(name), "it is in the report");
    const evidence =
      step === "serving" ? [{ kind: "kernel-address", link: "eth0" as never } as const] : [];
    const about =
      problem === undefined ? {} : { problem: { ...problem, revision: known.revision } };
    const said = { name, revision: known.revision, step, evidence, ...about };
    return { resources: new Map(report.resources).set(name, said) };
  });
}

const both =
  (...changes: readonly Change[]): Change =>
  (agent) =>
    changes.reduce((view, change) => change(view), agent);

const taken: Remark = { reason: "PortTaken", detail: "sshd listens on 0.0.0.0:80" };
const down: Remark = { reason: "DataPlaneDown", detail: "nginx is not running" };

interface Story {
  readonly name: string;
  readonly last: () => Plan;
  readonly line: string;
  readonly published: boolean;
  readonly serving: string;
}

const stories: readonly Story[] = [
  {
    name: "proved and published",
    last: () => served().last,
    line: "ready 192.0.2.100",
    published: true,
    serving: "True Proved",
  },
  {
    name: "the holder went out of reach a moment ago: its last word holds",
    last: () => after({ 0: gone }, 1000),
    line: "ready 192.0.2.100",
    published: true,
    serving: "True Proved",
  },
  {
    name: "the holder is out of reach for a minute: nothing is withdrawn, but doubted",
    last: () => after({ 0: gone }, 68_000),
    line: "ready 192.0.2.100 AgentUnreachable",
    published: true,
    serving: "Unknown AgentUnreachable",
  },
  {
    name: "the successor took over",
    last: () => after({ 0: gone, 1: saying(vipName(VIP), "serving") }, 90_000),
    line: "ready 192.0.2.100",
    published: true,
    serving: "True Proved",
  },
  {
    name: "all agents are out of reach",
    last: () => after({ 0: gone, 1: gone, 2: gone }, 90_000),
    line: "ready 192.0.2.100 AgentUnreachable",
    published: true,
    serving: "Unknown AgentUnreachable",
  },
  {
    name: "every agent says that it has it not: withdrawn",
    last: () => after({ 0: saying(vipName(VIP), "applied") }),
    line: "pending 192.0.2.100 NotHeld",
    published: false,
    serving: "False NotHeld",
  },
  {
    name: "the holder gave it up just now: no more than doubt, for a second",
    last: () => after({ 0: both(saying(vipName(VIP), "applied"), losing(0)) }, 999),
    line: "ready 192.0.2.100 WaitingForAgent",
    published: true,
    serving: "Unknown WaitingForAgent",
  },
  {
    name: "the holder gave it up a moment ago: the next one's word is waited for",
    last: () => after({ 0: both(saying(vipName(VIP), "applied"), losing(0)) }, 5999),
    line: "pending 192.0.2.100 NotHeld",
    published: true,
    serving: "False NotHeld",
  },
  {
    name: "the holder gave it up and nobody took it: withdrawn",
    last: () => after({ 0: both(saying(vipName(VIP), "applied"), losing(0)) }, 6000),
    line: "pending 192.0.2.100 NotHeld",
    published: false,
    serving: "False NotHeld",
  },
  {
    name: "one of those that could hold it is out of reach: not withdrawn",
    last: () => after({ 0: saying(vipName(VIP), "applied"), 2: gone }, 90_000),
    line: "ready 192.0.2.100 AgentUnreachable",
    published: true,
    serving: "Unknown AgentUnreachable",
  },
  {
    name: "the port is taken on the holder: held, published, not served",
    last: () => after({ 0: saying(LISTENER, "applied", taken) }),
    line: "pending 192.0.2.100 PortTaken",
    published: true,
    serving: "False PortTaken",
  },
  {
    name: "the port is taken on a successor: no trouble now",
    last: () => after({ 1: saying(LISTENER, "applied", taken) }),
    line: "ready 192.0.2.100",
    published: true,
    serving: "True Proved",
  },
  {
    name: "the older configuration serves and the newer one is refused",
    last: () => after({ 0: saying(LISTENER, "serving", taken) }),
    line: "ready 192.0.2.100",
    published: true,
    serving: "True Proved",
  },
  {
    name: "a dead daemon explains a listener that does not serve",
    last: () =>
      after({
        0: both(
          saying(LISTENER, "applied"),
          reporting(() => ({ remarks: [down] })),
        ),
      }),
    line: "pending 192.0.2.100 DataPlaneDown",
    published: true,
    serving: "False DataPlaneDown",
  },
  {
    name: "the controller was started anew and nobody has reported yet",
    last: () => {
      const { world, last } = served();
      const agents = [...world.agents.values()].map((agent) => {
        const { report: _, ...unheard } = agent;
        return unheard;
      });
      return planned(nextWorld(world, last, { agents }));
    },
    line: "ready 192.0.2.100 WaitingForAgent",
    published: true,
    serving: "Unknown WaitingForAgent",
  },
  {
    name: "the controller was started anew and no agent has connected yet",
    last: () => {
      const { world, last } = served();
      return planned(nextWorld(world, last, { agents: [] }));
    },
    line: "ready 192.0.2.100 AgentUnreachable",
    published: true,
    serving: "Unknown AgentUnreachable",
  },
];

for (const { name, last, line, published, serving } of stories) {
  test(name, () => {
    const result = last();
    const verdict = findVerdict(result, "web");
    const condition = verdict.conditions.find(({ type }) => type === "Serving");
    assert.deepEqual(
      [verdictLine(result, "web"), verdict.addresses[0]?.published],
      [line, published],
    );
    assert.equal(`${condition?.status} ${condition?.reason}`, serving);
    assert.equal(result.leases.get(VIP)?.published, published);
  });
}

test("what a daemon refused while the old content serves is remarked", () => {
  const last = after({ 0: saying(LISTENER, "serving", taken) });
  const [remark] = findVerdict(last, "web").remarks;
  assert.equal(remark?.reason, "PortTaken");
  assert.match(remark.detail, /^on lb-\d: sshd listens/);
});

/** The first successor took the address after 500 ms; the old holder was heard at `heardMs`. */
function rivalled(heardMs: number): { verdict: Verdict; order: readonly AgentName[] } {
  const { world, last, order } = served();
  const agents = [...world.agents.values()].map((agent) => {
    if (agent.name === order[0]) return { ...agent, heardAtMs: world.nowMs + heardMs };
    if (agent.name !== order[1]) return agent;
    const heldSinceMs = new Map([[VIP, world.nowMs + 500]]);
    const heardAtMs = world.nowMs + 1000;
    return { ...saying(vipName(VIP), "serving")(agent), heldSinceMs, heardAtMs };
  });
  return { verdict: findVerdict(planned(nextWorld(world, last, { agents })), "web"), order };
}

test("of two that claim an address the later one is named, and both are remarked", () => {
  const { verdict, order } = rivalled(900);
  assert.equal(verdict.addresses[0]?.holder, order[1]);
  assert.deepEqual(
    verdict.remarks.map(({ reason }) => reason),
    ["HeldTwice"],
  );
});

test("a holder that was not heard since the takeover is no second one", () => {
  const { verdict, order } = rivalled(100);
  assert.equal(verdict.addresses[0]?.holder, order[1]);
  assert.deepEqual(verdict.remarks, []);
});

test("an agent's word without the kernel's evidence proves nothing", () => {
  const { world, last } = served();
  const agents = [...world.agents.values()].map(
    reporting(({ resources }) => ({
      resources: new Map(
        Array.from(resources, ([name, said]) => [name, { ...said, evidence: [] }] as const),
      ),
    })),
  );
  const result = planned(nextWorld({ ...world, leases: new Map() }, last, { agents }));
  assert.equal(verdictLine(result, "web").startsWith("ready 192.0.2.100 "), false);
});

test("no members: it serves, and says that nobody is behind it", () => {
  const world = makeWorld({ claims: [makeClaim("web", { members: [] })] });
  const first = planned(world);
  const last = planned(nextWorld(world, first, { agents: proveAll(world, first) }));
  assert.equal(verdictLine(last, "web"), "ready 192.0.2.100 NoMembers");
  const [, serving, members] = findVerdict(last, "web").conditions;
  assert.deepEqual([serving?.status, members?.status], ["True", "False"]);
  assert.equal(members?.message, "80/TCP has no member.");
});

test("no members as no node is selected: the cause is told before what is counted", () => {
  const cause = { reason: "NoMembers", detail: "no Ready node matches" } as const;
  const world = makeWorld({ claims: [makeClaim("web", { members: [], remarks: [cause] })] });
  const first = planned(world);
  const last = planned(nextWorld(world, first, { agents: proveAll(world, first) }));
  assert.deepEqual(findVerdict(last, "web").main, cause);
});

test("an absent claim has no verdict, and keeps everything", () => {
  const { world, last } = served();
  const absent = planned(nextWorld(world, last, { claims: [], absent: [web] }));
  assert.equal(absent.verdicts.size, 0);
  assert.deepEqual(absent.leases.get(VIP)?.owners, last.leases.get(VIP)?.owners);
  assert.equal(absent.leases.get(VIP)?.published, true);
  for (const { retained } of absent.nodePlans.values()) assert.deepEqual(retained, [VIP]);
});

// Chains as an operator reads them: worlds that the real planner planned, told in lines. The texts
// stand in testdata/chains.txt, written only with FAIRLEAD_UPDATE_GOLDEN=1 and reviewed like code.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, suite, test } from "node:test";

import {
  type AgentName,
  type AgentReport,
  type AgentView,
  type Plan,
  type Reason,
  type ResourceName,
  type World,
  assert as assertThat,
} from "@fairlead/model";
import { plan } from "@fairlead/planner";
import {
  type WorldOptions,
  makeAgent,
  makeClaim,
  makeCycleView,
  makePool,
  makeRanges,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";
import { LinkState } from "@fairlead/wire";

import type { CycleView } from "../../cycle-view.ts";
import type { ServiceBook, ServiceRecord } from "../../kube/service-record.ts";
import type { SyncState } from "../../ports.ts";
import type { AdminContext } from "./admin-context.ts";
import { explain } from "./explain.ts";

const revisionOf = makeRevisionOf();
const REVISION = "3f2a0b12cd34567890abcdef12345678" as NonNullable<SyncState["acked"]>;
const IN_SYNC: SyncState = { state: "in-sync", detail: "", wanted: REVISION, acked: REVISION };

/** What happened before the question, and what is different in the loop's view. */
interface Situation {
  readonly world?: WorldOptions;
  /** Agents prove their plans, but for these, which are cut off. */
  readonly proved?: { readonly dead?: readonly string[] };
  /** Changes what an agent's report says. */
  readonly report?: (report: AgentReport) => AgentReport;
  /** Ms between the proof and the question. */
  readonly laterMs?: number;
  readonly sync?: Readonly<Record<string, SyncState>>;
  readonly view?: Partial<CycleView>;
  readonly isUnplanned?: boolean;
  /** Agents whose stream closed right after the proof. */
  readonly away?: readonly string[];
  /** All claims were deleted after the proof. */
  readonly deleted?: boolean;
  /** A restarted controller's sources do not show the claims. */
  readonly vanished?: boolean;
  /** The Service as its cluster has it. */
  readonly record?: Partial<ServiceRecord>;
}

function contextOf(situation: Situation): AdminContext {
  let world = makeWorld({ claims: [makeClaim("web", { origin: "web.yaml" })], ...situation.world });
  let made: Plan | undefined;
  if (situation.isUnplanned !== true) {
    made = plan(world, { revisionOf });
    // Twice: the lane is settled by the first proof, and agents get another plan by that.
    for (let round = 0; situation.proved !== undefined && round < 2; round += 1) {
      const agents = proveAll(world, made, situation.proved).map((one) => changed(one, situation));
      world = nextWorld(world, made, { agents });
      made = plan(world, { revisionOf });
    }
    world = nextWorld(world, made, afterwards(situation, world));
    made = plan(world, { revisionOf });
  }
  const syncState = (agent: AgentName): SyncState => situation.sync?.[agent] ?? IN_SYNC;
  return {
    nowMs: world.nowMs + 5000,
    uptimeMs: 60_000,
    version: "0.1.0",
    view: makeCycleView(world, made, situation.view),
    syncState,
    ...(situation.record === undefined ? {} : { services: bookOf(situation.record, world) }),
  };
}

function bookOf(record: Partial<ServiceRecord>, { nowMs }: World): Pick<ServiceBook, "get"> {
  const time = (agoMs: number): string => new Date(nowMs + 5000 - agoMs).toISOString();
  const web: ServiceRecord = {
    namespace: "default",
    name: "web",
    uid: "2f0c8a1e",
    resourceVersion: "812",
    generation: 1,
    type: "LoadBalancer",
    isDeleting: false,
    finalizers: ["fairlead.io/release"],
    ingress: [{ ip: "192.0.2.100", ipMode: "Proxy" }],
    conditions: [],
    writers: [
      { manager: "kubectl-create", parts: ["spec"], time: time(7_500_000) },
      { manager: "fairlead-finalizer", parts: ["finalizers"], time: time(4000) },
      { manager: "fairlead-status", parts: ["status.loadBalancer", "status.conditions"] },
    ],
    ...record,
  };
  return { get: (...at) => (at.join("/") === "default/web" ? web : undefined) };
}

function afterwards(situation: Situation, { agents, claims, nowMs }: World): WorldOptions {
  const { laterMs = 0, away = [], deleted = false, vanished = false } = situation;
  return {
    nowMs: nowMs + laterMs,
    agents: [...agents.values()].map((view) =>
      away.some((name) => name === view.name)
        ? { ...view, connected: false, disconnectedAtMs: nowMs }
        : view,
    ),
    ...(deleted || vanished ? { claims: [] } : {}),
    ...(vanished ? { absent: [...claims.values()] } : {}),
  };
}

function changed(view: AgentView, { report }: Situation): AgentView {
  if (view.report === undefined || report === undefined) return view;
  return { ...view, report: report(view.report) };
}

const SIGNS: ReadonlyMap<LinkState, string> = new Map([
  [LinkState.GOOD, "ok"],
  [LinkState.BROKEN, "NO"],
  [LinkState.UNKNOWN, "??"],
  [LinkState.DOUBT, "!!"],
]);

/** The chain as lines: sign, title, age in seconds, detail, code; then what to do. */
function tell(subject: string, situation: Situation): string {
  const chain = explain(contextOf(situation), subject);
  assertThat(chain.found === true, `${subject} is found`);
  const steps = (chain.steps ?? []).map((step) => {
    const age = step.ageMs === undefined ? "" : ` ${Number(step.ageMs) / 1000}s`;
    const code = step.code === "" ? "" : ` (${step.code})`;
    const sign = SIGNS.get(step.state ?? LinkState.UNSPECIFIED) ?? "";
    return `${sign} ${step.title}${age}: ${step.detail}${code}`;
  });
  const remedy = chain.remedy === "" ? [] : [`do: ${chain.remedy}`];
  return [chain.title ?? "", ...steps, ...remedy].join("\n");
}

/** The report without a resource, or with trouble in its place. */
function without(name: string, trouble?: { readonly reason: Reason; readonly detail: string }) {
  return (report: AgentReport): AgentReport => {
    const resources = new Map(report.resources);
    const key = name as ResourceName;
    const old = resources.get(key);
    resources.delete(key);
    if (old !== undefined && trouble !== undefined) {
      const problem = { ...trouble, revision: old.revision };
      resources.set(key, { ...old, step: "received", evidence: [], problem });
    }
    return { ...report, resources };
  };
}

const WEB = makeClaim("web", { origin: "web.yaml" });
const UNMOUNTED = "the folder is unmounted";

const cases: readonly {
  readonly name: string;
  readonly subject: string;
  readonly situation: Situation;
}[] = [
  { name: "a Service that is served", subject: "default/web", situation: { proved: {} } },
  {
    name: "a Service of a cluster that is served",
    subject: "default/web",
    situation: { proved: {}, record: {} },
  },
  {
    name: "a Service of a cluster whose status somebody changed by hand",
    subject: "default/web",
    situation: { proved: {}, record: { ingress: [{ ip: "203.0.113.9" }] } },
  },
  {
    name: "a Service of a cluster that asks for nothing",
    subject: "web",
    situation: {
      world: { claims: [] },
      record: { type: "ClusterIP", finalizers: [], ingress: [], writers: [] },
    },
  },
  {
    name: "a Service of a cluster that is being deleted and waits for its release",
    subject: "default/web",
    situation: { world: { claims: [] }, record: { isDeleting: true } },
  },
  {
    name: "a Service with two addresses and two ports",
    subject: "service/default/web",
    situation: {
      proved: {},
      world: {
        claims: [
          makeClaim("web", {
            ports: ["tcp/80", "udp/53"],
            families: { policy: "RequireDualStack", families: ["ipv4", "ipv6"] },
          }),
        ],
        pools: [makePool("lan", "192.0.2.100-192.0.2.199,2001:db8::100-2001:db8::1ff")],
        agents: ["11", "12"].map((octet) =>
          makeAgent(`lb-${octet}`, { prefixes: [`192.0.2.${octet}/24`, `2001:db8::${octet}/64`] }),
        ),
      },
    },
  },
  {
    name: "a Service that nobody can hold yet",
    subject: "web",
    situation: { world: { agents: [] } },
  },
  {
    name: "a Service in a network of no agent",
    subject: "web",
    situation: { world: { agents: [makeAgent("lb-1", { prefixes: ["198.51.100.1/24"] })] } },
  },
  {
    name: "a Service that asks for an address outside all pools",
    subject: "web",
    situation: { world: { claims: [makeClaim("web", { wishes: ["203.0.113.7"] })] } },
  },
  {
    name: "a Service that asks for an address that another one holds",
    subject: "late",
    situation: {
      world: {
        claims: [
          makeClaim("first", { wishes: ["192.0.2.150"], createdAtMs: 1 }),
          makeClaim("late", { wishes: ["192.0.2.150"], createdAtMs: 2 }),
        ],
      },
    },
  },
  {
    name: "a Service that its source knows to be unservable",
    subject: "web",
    situation: {
      world: {
        claims: [
          makeClaim("web", {
            refusals: [
              { reason: "SourceRangesNotEnforced", detail: "loadBalancerSourceRanges is set" },
            ],
          }),
        ],
      },
    },
  },
  {
    name: "a Service with a wish that is not served",
    subject: "web",
    situation: {
      proved: {},
      world: {
        claims: [
          makeClaim("web", {
            remarks: [
              { reason: "PolicyNotServed", detail: "externalTrafficPolicy Local is not served" },
            ],
          }),
        ],
      },
    },
  },
  {
    name: "a Service whose agents have not answered",
    subject: "web",
    situation: {
      sync: { "lb-2": { ...IN_SYNC, state: "behind", detail: "the newest plan is on its way" } },
    },
  },
  {
    name: "a Service whose port is taken on the holder",
    subject: "web",
    situation: {
      proved: {},
      report: without("listener/192.0.2.100/tcp/80", {
        reason: "PortTaken",
        detail: "another process listens on 192.0.2.100 port 80",
      }),
    },
  },
  {
    name: "a Service that no host holds",
    subject: "web",
    situation: { proved: {}, report: without("vip/192.0.2.100") },
  },
  {
    name: "a Service without members",
    subject: "web",
    situation: { proved: {}, world: { claims: [makeClaim("web", { members: [] })] } },
  },
  {
    name: "a Service whose agents all went away",
    subject: "web",
    situation: { proved: {}, away: ["lb-1", "lb-2", "lb-3"], laterMs: 65_000 },
  },
  {
    name: "a Service before the first plan",
    subject: "web",
    situation: {
      isUnplanned: true,
      view: { notReady: "waiting for agents before the first plan" },
    },
  },
  {
    name: "a Service that the store keeps from being planned",
    subject: "web",
    situation: {
      isUnplanned: true,
      view: {
        findings: [
          {
            subject: "store",
            name: "store",
            reason: "StoreUnavailable",
            detail: "the disk is full",
          },
        ],
      },
    },
  },
  {
    name: "a Service that only the store knows",
    subject: "web",
    situation: { world: { claims: [WEB] }, vanished: true },
  },
  { name: "an address that is held", subject: "192.0.2.100", situation: { proved: {} } },
  {
    name: "an address that waits for agents to let go",
    subject: "192.0.2.100",
    situation: { proved: {}, deleted: true },
  },
  { name: "an address that is free", subject: "192.0.2.150", situation: {} },
  { name: "an address in no pool", subject: "203.0.113.7", situation: {} },
  { name: "an agent's own address", subject: "192.0.2.11", situation: {} },
  {
    name: "an address that its pool reserves",
    subject: "192.0.2.105",
    situation: {
      world: {
        pools: [
          makePool("lan", "192.0.2.100-192.0.2.199", {
            reserved: makeRanges("192.0.2.105-192.0.2.109"),
          }),
        ],
      },
    },
  },
  { name: "an agent that is well", subject: "lb-2", situation: { proved: {} } },
  {
    name: "an agent that went away",
    subject: "lb-2",
    situation: {
      proved: {},
      away: ["lb-2"],
      laterMs: 65_000,
      sync: { "lb-2": { state: "unknown", detail: "the agent is not connected" } },
    },
  },
  {
    name: "an agent in trouble",
    subject: "lb-2",
    situation: {
      proved: {},
      report: (report) => ({
        ...report,
        dataPlane: { ...report.dataPlane, keepalivedAlive: false },
        remarks: [{ reason: "DataPlaneDown", detail: "keepalived is not running" }],
      }),
      sync: { "lb-2": { ...IN_SYNC, state: "rejected", detail: "vip/192.0.2.100: bad word" } },
    },
  },
  { name: "a pool", subject: "default", situation: {} },
  {
    name: "a pool that overlaps an older one",
    subject: "newer",
    situation: {
      world: {
        pools: [
          makePool("older", "192.0.2.100-192.0.2.199", { createdAtMs: 1 }),
          makePool("newer", "192.0.2.150-192.0.2.250", { createdAtMs: 2 }),
        ],
      },
    },
  },
  {
    name: "a full pool",
    subject: "lan",
    situation: { world: { claims: [WEB], pools: [makePool("lan", "192.0.2.100")] } },
  },
  {
    name: "a file that does not parse",
    subject: "team/broken.yaml",
    situation: {
      view: {
        findings: [
          {
            subject: "file",
            name: "team/broken.yaml",
            reason: "ManifestUnreadable",
            detail: "line 3: a mapping is not closed",
          },
        ],
      },
    },
  },
  {
    name: "a file with an object whose name is none",
    subject: "names.yaml",
    situation: {
      view: {
        findings: [
          {
            subject: "object",
            name: 'Service "default/a;b" in names.yaml',
            reason: "BadName",
            detail: 'in "names.yaml": metadata.name "a;b" is no name',
          },
        ],
      },
    },
  },
  {
    name: "a folder that was emptied",
    subject: UNMOUNTED,
    situation: {
      view: {
        findings: [
          { subject: "source", name: UNMOUNTED, reason: "SourceEmptied", detail: "all went" },
        ],
      },
    },
  },
];

const GOLDEN = new URL("testdata/chains.txt", import.meta.url);
const UPDATE = process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1";

suite("explain tells", () => {
  const wanted = new Map(
    (UPDATE ? "" : readFileSync(GOLDEN, "utf8"))
      .split("## ")
      .filter((part) => part !== "")
      .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n")).trim()]),
  );
  const told: string[] = [];
  for (const { name, subject, situation } of cases) {
    test(name, () => {
      const text = tell(subject, situation);
      told.push(`## ${name}\n\n${text}\n`);
      if (!UPDATE) assert.equal(text, wanted.get(name));
    });
  }
  after(() => {
    if (UPDATE) writeFileSync(GOLDEN, told.join("\n"));
  });
});

test("a subject may be named with its kind, as kubectl takes it", () => {
  const kinds = ["service/web", "svc/default/web", "agent/lb-1", "pool/default"];
  const names = kinds.map((subject) => explain(contextOf({}), subject).title?.split(" ").at(-1));
  assert.deepEqual(names, ["default/web", "default/web", "lb-1", "default"]);
});

suite("what is not there", () => {
  const similar = (subject: string): readonly string[] => {
    const answer = explain(contextOf({}), subject);
    assert.equal(answer.found, false);
    return answer.similar ?? [];
  };

  test("is answered with names that look like it", () => {
    assert.deepEqual(similar("default/wob"), ["default/web"]);
    assert.deepEqual(similar("wbe"), ["default/web"]);
    assert.deepEqual(similar("other/web"), ["default/web"]);
    assert.deepEqual(similar("lb-9"), ["lb-1"]);
    assert.deepEqual(similar("defualt"), ["default"]);
  });

  test("may be any text of any length", () => {
    for (const text of ["", "/", "//", "a/b/c/d", "\n", "x".repeat(100_000), "__proto__"]) {
      assert.deepEqual(similar(text), [], JSON.stringify(text.slice(0, 20)));
    }
  });
});

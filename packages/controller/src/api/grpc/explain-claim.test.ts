// Chains of claims as an operator reads them: from what is asked for to what is published, and
// where that ends. The real planner plans; the texts stand in testdata/claim-chains.txt.

import { plan } from "@fairlead/planner";
import {
  IN_SYNC,
  makeAgent,
  makeClaim,
  makePool,
  reportWithout,
  testChains,
} from "@fairlead/testkit";

const GOLDEN = new URL("testdata/claim-chains.txt", import.meta.url);
const WEB = makeClaim("web", { origin: "web.yaml" });

testChains(GOLDEN, plan, [
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
      report: reportWithout("listener/192.0.2.100/tcp/80", {
        reason: "PortTaken",
        detail: "another process listens on 192.0.2.100 port 80",
      }),
    },
  },
  {
    name: "a Service that no host holds",
    subject: "web",
    situation: { proved: {}, report: reportWithout("vip/192.0.2.100") },
  },
  {
    name: "a Service on hosts of which one was withdrawn by its operator",
    subject: "web",
    situation: {
      proved: {},
      withdrawn: ["lb-2"],
      world: { pools: [makePool("lan", "192.0.2.100-192.0.2.199", { mode: "host" })] },
    },
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
]);

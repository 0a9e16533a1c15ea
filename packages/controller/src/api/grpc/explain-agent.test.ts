// Chains of agents as an operator reads them: well, away, and in trouble. The real planner plans;
// the texts stand in testdata/agent-chains.txt.

import { plan } from "@fairlead/planner";
import { IN_SYNC, makeAgents, testChains, withHearing } from "@fairlead/testkit";

const GOLDEN = new URL("testdata/agent-chains.txt", import.meta.url);

const able = makeAgents(2).map(withHearing);

testChains(GOLDEN, plan, [
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
    name: "an agent that its operator withdrew",
    subject: "lb-2",
    situation: {
      proved: {},
      withdrawn: ["lb-2"],
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
  {
    name: "an agent that has not heard the holder of a new lane yet",
    subject: "lb-1",
    situation: {
      world: { agents: able },
      proved: {},
      report: (report) => ({ ...report, hearing: [] }),
    },
  },
]);

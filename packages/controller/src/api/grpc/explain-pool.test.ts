// Chains of pools as an operator reads them: what they give and what keeps them from it. The real
// planner plans; the texts stand in testdata/pool-chains.txt.

import { plan } from "@fairlead/planner";
import { makeClaim, makePool, testChains } from "@fairlead/testkit";

const GOLDEN = new URL("testdata/pool-chains.txt", import.meta.url);
const WEB = makeClaim("web", { origin: "web.yaml" });

testChains(GOLDEN, plan, [
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
]);

// Chains of addresses as an operator reads them: held, let go of, free, or not to be given. The
// real planner plans; the texts stand in testdata/address-chains.txt.

import { plan } from "@fairlead/planner";
import { makePool, makeRanges, testChains } from "@fairlead/testkit";

const GOLDEN = new URL("testdata/address-chains.txt", import.meta.url);

testChains(GOLDEN, plan, [
  { name: "an address that is held", subject: "192.0.2.100", situation: { proved: {} } },
  {
    name: "an address that waits for agents to let go",
    subject: "192.0.2.100",
    situation: { proved: {}, deleted: true },
  },
  {
    name: "an address of a host that its operator withdrew",
    subject: "192.0.2.101",
    situation: {
      proved: {},
      withdrawn: ["lb-2"],
      world: { pools: [makePool("lan", "192.0.2.100-192.0.2.199", { mode: "host" })] },
    },
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
]);

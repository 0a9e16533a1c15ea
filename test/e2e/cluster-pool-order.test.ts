// Ranges as a real API server judges them: one that ends before it begins is refused when it is
// applied, as far as the rules of the kind can say so. No controller runs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startDeployedCluster } from "./stage/deployed-cluster.ts";

const KIND = { apiVersion: "fairlead.io/v1alpha1", kind: "AddressPool" } as const;

const reversed: readonly object[] = [
  { addresses: ["10.77.0.139-10.77.0.130"] },
  { addresses: ["10.77.1.1 - 10.77.0.255"] },
  { addresses: ["200.0.0.1-100.255.255.255"] },
  { addresses: ["10.77.0.0/24"], reserved: ["10.77.0.9-10.77.0.1"] },
];

const taken: readonly object[] = [
  { addresses: ["10.77.0.130-10.77.0.139"] },
  { addresses: ["10.77.0.9-10.77.0.10", "9.255.255.255-10.0.0.0"] },
  { addresses: ["10.77.0.130-10.77.0.130", "10.78.0.0/24", "10.79.0.1"] },
  { addresses: ["fd77::1-fd77::9"], reserved: ["fd77::a"] },
];

test("a range of IPv4 that ends before it begins is refused in words", async () => {
  await using deployed = await startDeployedCluster();
  const { kube } = deployed;
  for (const [index, spec] of reversed.entries()) {
    await assert.rejects(
      kube.create({ ...KIND, metadata: { name: `bad-${index}` }, spec }),
      /the first address is above the last/,
      JSON.stringify(spec),
    );
  }
  for (const [index, spec] of taken.entries()) {
    await kube.create({ ...KIND, metadata: { name: `good-${index}` }, spec });
  }
  // What is no address at all is told by its own rule, and not by a failure of this one.
  await assert.rejects(
    kube.create({ ...KIND, metadata: { name: "none" }, spec: { addresses: ["a.b-c.d"] } }),
    /expected a CIDR, first-last, or one address/,
  );
});

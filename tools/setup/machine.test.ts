// What set-up says about machines that it cannot use, and which packages it finds missing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { missingPackages, PACKAGES } from "./debian.mjs";
import { machineProblem } from "./platform.mjs";

const GOOD = { platform: "linux", arch: "x64", nodeVersion: "20.0.0" };

const cases = [
  { name: "Linux with Node 20", machine: GOOD, says: undefined },
  { name: "a newer Node", machine: { ...GOOD, nodeVersion: "26.10.0" }, says: undefined },
  {
    name: "another architecture with a Node",
    machine: { ...GOOD, arch: "arm64" },
    says: undefined,
  },
  { name: "a Mac", machine: { ...GOOD, platform: "darwin" }, says: /darwin.*Linux alone/ },
  {
    name: "an old Node",
    machine: { ...GOOD, nodeVersion: "18.20.1" },
    says: /18\.20\.1.*20 or newer/,
  },
  {
    name: "a rare architecture",
    machine: { ...GOOD, arch: "s390x" },
    says: /s390x.*x64 and arm64/,
  },
];
for (const c of cases) {
  test(`the machine: ${c.name}`, () => {
    const problem = machineProblem(c.machine);
    if (c.says === undefined) assert.equal(problem, undefined);
    else assert.match(problem ?? "", c.says);
  });
}

test("packages: all are there", () => {
  assert.deepEqual(missingPackages(PACKAGES.map((name) => `${name} installed`).join("\n")), []);
});

test("packages: unknown, removed and half-installed ones are missing", () => {
  const answer =
    "dpkg-query: no packages found matching s6\nnginx-light installed\n" +
    "keepalived config-files\nnftables half-configured\n";
  const missing = missingPackages(answer);
  assert.ok(!missing.includes("nginx-light"));
  for (const name of ["s6", "keepalived", "nftables"]) assert.ok(missing.includes(name), name);
});

// Pools as objects of a real cluster: the API server refuses bad ones in words, and what becomes of
// a pool under use stands in its status. The controller has the rights of deploy/rbac alone.

import assert from "node:assert/strict";

import type { KubeObject } from "@fairlead/testkit";

import { POOL_KIND, poolText, saysOf, untilPool } from "./stage/cluster-pools.ts";
import { service } from "./stage/manifests.ts";
import { story } from "./stage/story.ts";

const bad: readonly (readonly [spec: object, words: RegExp])[] = [
  [{ addresses: ["10.77.0.300"] }, /addresses\[0\].*expected a CIDR, first-last, or one address/],
  [{ addresses: ["10.77.0.1-fd77::1"] }, /first and last are of two families/],
  [{ addresses: ["10.77.0.1/24"] }, /host bits are set/],
  [{ addresses: [] }, /spec\.addresses in body should have at least 1 items/],
  [
    { addresses: ["10.77.0.100"], reserved: ["fd77::1"] },
    /spec\.reserved: .*reserved has IPv6 addresses, and addresses has none/,
  ],
  [
    {
      addresses: ["10.77.0.100"],
      serviceSelector: { matchExpressions: [{ key: "tier", operator: "In" }] },
    },
    /operators In and NotIn need values/,
  ],
  [{ addresses: ["10.77.0.100"], mode: "bgp" }, /spec\.mode: Unsupported value: "bgp"/],
  [{ addresses: ["10.77.0.100"], quarantine: "5" }, /spec\.quarantine/],
  [{}, /a pool has addresses of its own, or those of an external IPAM/],
  [{ external: { url: "http://ipam", class: "lab" }, mode: "host" }, /spec\.mode: .*host needs/],
  [{ external: { url: "ftp://ipam", class: "lab" } }, /spec\.external\.url: .*expected http:/],
  [{ external: { url: "http://me@ipam", class: "lab" } }, /user, query and fragment/],
];

story(
  "a pool of the cluster is made, shrinks and goes under use, and its status says so",
  { source: "kubernetes", controllerFlags: ["--members=endpoints"], pools: [] },
  async (stage) => {
    const { kube, kubectl } = stage.api();
    for (const document of service({ name: "web" })) await kube.create(document as KubeObject);
    const apply = (text: string): Promise<string> => kubectl(["apply", "--filename=-"], text);
    for (const [wrong, words] of bad) {
      await assert.rejects(
        kube.create({ ...POOL_KIND, metadata: { name: "bad" }, spec: wrong }),
        words,
      );
    }

    const spec = { addresses: ["10.77.0.100-10.77.0.109"], quarantine: "0s" };
    await apply(poolText("lan", spec));
    const { address } = await stage.served("default/web");
    assert.equal(address, "10.77.0.100");
    await untilPool(
      kube,
      "lan",
      "usage and conditions are written",
      (status) =>
        status.usage?.["ipv4"]?.used === "1/10" &&
        ["Ready", "Available", "HeldInside"].every((type) =>
          saysOf(status, type).startsWith("True"),
        ),
    );
    const table = await kubectl(["get", "addresspools"]);
    assert.match(table, /^NAME +MODE +IPV4 +IPV6 +READY +AGE\nlan +vrrp +1\/10 +True +/);

    await apply(poolText("lan", { ...spec, addresses: ["10.77.0.105-10.77.0.109"] }));
    const kept = "10.77.0.100 is held outside of what it gives, and kept";
    await stage.until("what is held outside is named", (list) =>
      list.findings.some(({ remark }) => remark?.detail === kept) ? true : undefined,
    );

    await kubectl(["delete", "addresspool", "lan"]);
    await stage.until("the pool is gone and its address stays", (list) =>
      list.findings.some(({ remark }) =>
        remark?.detail.startsWith("there is no such pool any more"),
      )
        ? true
        : undefined,
    );
    assert.equal((await stage.served("default/web")).address, address);
  },
);

// Pools as the command line gets them: rules, usage, who waits, and two of one name.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type AddressPool, type World, ipamLineId } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import {
  address,
  makeClaim,
  makeCycleView,
  makePool,
  makeRanges,
  makeRevisionOf,
  makeWorld,
  nextWorld,
} from "@fairlead/testkit";
import {
  create,
  ExplainResponseSchema,
  DescribePoolResponseSchema,
  type DescribePoolResponse,
} from "@fairlead/wire";

import type { AdminContext } from "./admin-context.ts";
import { describePool } from "./describe-pool.ts";
import { explain } from "./explain.ts";
import { list } from "./list.ts";

function contextOf(world: World): AdminContext {
  return {
    nowMs: world.nowMs,
    uptimeMs: 0,
    version: "0.1.0",
    view: makeCycleView(world, plan(world, { revisionOf: makeRevisionOf() })),
    syncState: () => ({ state: "in-sync", detail: "" }),
  };
}

function describe(context: AdminContext, name: string): DescribePoolResponse {
  return create(DescribePoolResponseSchema, describePool(context, { name }));
}

test("a full pool names those who wait for it, the oldest first", () => {
  const claims = [
    makeClaim("late", { createdAtMs: 9 }),
    makeClaim("web", { createdAtMs: 1 }),
    makeClaim("soon", { createdAtMs: 5 }),
  ];
  const pools = [
    makePool("lan", "192.0.2.100-192.0.2.101", {
      reserved: makeRanges("192.0.2.101"),
      serviceSelector: {
        matchLabels: {},
        matchExpressions: [{ key: "team", operator: "NotIn", values: ["a", "b"] }],
      },
    }),
  ];
  const { pools: found } = describe(contextOf(makeWorld({ claims, pools })), "lan");
  const [pool] = found;
  assert.equal(found.length, 1);
  assert.deepEqual(pool?.waiting, ["default/soon", "default/late"]);
  assert.deepEqual(pool?.labels, ["team notin (a, b)"]);
  assert.deepEqual(pool?.reserved, ["192.0.2.101"]);
  assert.deepEqual(
    pool?.leases.map((lease) => [lease.address, ...lease.owners]),
    [["192.0.2.100", "default/web"]],
  );
  const [usage] = pool?.row?.usage ?? [];
  assert.deepEqual([usage?.family, usage?.size, usage?.held], ["ipv4", "1", 1n]);
});

test("an external pool shows whose its addresses are, what it was given, and who waits", () => {
  const claims = [makeClaim("web", { createdAtMs: 1 }), makeClaim("late", { createdAtMs: 2 })];
  const rule = { url: "http://ipam", class: "lab", families: ["ipv4"], renewMs: 1000 } as const;
  const pool = { ...makePool("ext", "192.0.2.1"), ranges: [], external: rule };
  const first = makeWorld({ claims, pools: [pool] });
  const wanted = plan(first, { revisionOf: makeRevisionOf() });
  const [one] = wanted.intents.flatMap((intent) => (intent.kind === "register" ? [intent] : []));
  const granted = { kind: "granted", address: address("192.0.2.100") } as const;
  const registrations = new Map([[one?.uuid ?? "", granted]]);
  const ipam = {
    registrations,
    troubles: new Map([[ipamLineId(pool.name, rule.url), "it is away"]]),
  };
  const context = contextOf(nextWorld(first, wanted, { ipam }));
  const [found] = describe(context, "ext").pools;
  assert.deepEqual(found?.addresses, ["class lab of http://ipam", "192.0.2.100"]);
  assert.deepEqual(found?.waiting, ["default/late"]);
  const [usage] = found?.row?.usage ?? [];
  assert.deepEqual([usage?.size, usage?.held], ["1", 1n]);
  assert.deepEqual(
    found?.row?.remarks.map(({ reason }) => reason),
    ["IpamUnreachable"],
  );
  assert.equal(found?.row?.state, "used");
  const { steps } = create(ExplainResponseSchema, explain(context, "ext"));
  assert.deepEqual(
    steps.map(({ title, detail }) => `${title}: ${detail}`),
    [
      "Seen: --pool declares class lab of http://ipam, mode vrrp",
      "Judged: http://ipam cannot be asked: it is away; what it gave stays",
      "Filled: 1 of 1 addresses are given",
      "Reached: by lb-1, lb-2, lb-3 on 192.0.2.0/24",
    ],
  );
});

test("a pool that shrank is full of what it still gives, and the rest is counted apart", () => {
  const claims = ["a", "b", "c"].map((name) => makeClaim(name));
  const before = makeWorld({ claims, pools: [makePool("lan", "192.0.2.100-192.0.2.102")] });
  const first = plan(before, { revisionOf: makeRevisionOf() });
  const context = contextOf(nextWorld(before, first, { pools: [makePool("lan", "192.0.2.100")] }));
  const { row, leases } = describe(context, "lan").pools[0] ?? {};
  assert.deepEqual([row?.used, row?.size, leases?.length], [1n, "1", 3]);
  assert.deepEqual([row?.usage[0]?.held, row?.usage[0]?.outside], [1n, 2n]);
  const { steps } = create(ExplainResponseSchema, explain(context, "lan"));
  const filled = steps.find(({ title }) => title === "Filled");
  assert.equal(filled?.detail, "1 of 1 addresses are given; 2 more that it gives no more");
});

test("no name gives all, and a wrong one what is near", () => {
  const pools = [makePool("wan", "198.51.100.1"), makePool("lan", "192.0.2.100")];
  const context = contextOf(makeWorld({ pools }));
  assert.deepEqual(
    describe(context, "").pools.map(({ row }) => row?.name),
    ["lan", "wan"],
  );
  const { pools: none, similar } = describe(context, "lann");
  assert.deepEqual([none, similar], [[], ["lan"]]);
});

test("of two pools with one name the older is used, and each has its own row", () => {
  const older = makePool("lan", "192.0.2.100", { createdAtMs: 1, origin: "--pool" });
  const newer = makePool("lan", "192.0.2.200", { createdAtMs: 2, origin: "cluster lab" });
  const context = contextOf(makeWorld({ pools: [older, newer], claims: [makeClaim("web")] }));
  const seen = (value: AddressPool, source: string) => ({ value, source, seenAtMs: 0 });
  const pools = new Map([
    ["kubernetes\nlan", seen(newer, "kubernetes")],
    ["pools\nlan", seen(older, "pools")],
  ]);
  const view = { ...context.view, state: { ...context.view.state, pools } };
  const rows = list({ ...context, view }, { kinds: [] }).pools ?? [];
  assert.deepEqual(
    rows.map(({ origin, state, used, remarks }) => [
      origin,
      state,
      Number(used),
      remarks?.[0]?.reason,
    ]),
    [
      ["--pool", "used", 1, undefined],
      ["cluster lab", "refused", 0, "DuplicateObject"],
    ],
  );
});

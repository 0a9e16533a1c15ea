// Rows of lists: what an operator's tables are made of.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { AgentView, Claim, Plan } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import {
  makeAgents,
  makeClaim,
  makeCycleView,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";
import { ListKind, ListResponseSchema, create } from "@fairlead/wire";

import type { SyncState } from "../../ports.ts";
import type { AdminContext } from "./admin-context.ts";
import { list } from "./list.ts";

const revisionOf = makeRevisionOf();

/** Two Services served by three agents, one refused. */
function makeContext(changes: Partial<AdminContext> = {}): AdminContext {
  const claims = [
    makeClaim("web", { ports: ["tcp/80", "udp/53"], members: ["10.1.0.1:80", "10.1.0.2:80"] }),
    makeClaim("api"),
    makeClaim("team/lost", { wishes: ["203.0.113.1"] }),
  ];
  const pools = [makePool("lan", "192.0.2.100-192.0.2.109"), makePool("six", "2001:db8::/64")];
  let world = makeWorld({ claims, pools, agents: makeAgents(3) });
  let made: Plan = plan(world, { revisionOf });
  for (let round = 0; round < 2; round += 1) {
    const agents: readonly AgentView[] = proveAll(world, made);
    world = nextWorld(world, made, { agents });
    made = plan(world, { revisionOf });
  }
  return {
    nowMs: world.nowMs + 3000,
    uptimeMs: 60_000.4,
    version: "0.1.0",
    view: makeCycleView(world, made),
    syncState: () => ({ state: "in-sync", detail: "" }),
    ...changes,
  };
}

function changedWeb(web: Claim): Claim {
  const { listeners } = makeClaim("web", { ports: ["tcp/443"], members: [] });
  return { ...web, listeners };
}

const all = (context: AdminContext = makeContext()): ReturnType<typeof readAll> => readAll(context);

function readAll(context: AdminContext) {
  return create(ListResponseSchema, list(context, { kinds: [] }));
}

suite("a list", () => {
  test("has claims with their addresses, holders and reasons, sorted", () => {
    const rows = all().claims.map(
      ({ namespace, name, state, addresses, ports, members, main }) => ({
        title: `${namespace}/${name}`,
        state,
        addresses: addresses.map(({ address, holder, published }) =>
          [address, holder, published ? "published" : "hidden"].join(" "),
        ),
        ports: ports.join(),
        members,
        reason: main?.reason,
      }),
    );
    assert.deepEqual(rows, [
      {
        title: "default/api",
        state: "ready",
        addresses: ["192.0.2.100 lb-2 published"],
        ports: "80/TCP",
        members: 1,
        reason: undefined,
      },
      {
        title: "default/web",
        state: "ready",
        addresses: ["192.0.2.101 lb-3 published"],
        ports: "80/TCP,53/UDP",
        members: 2,
        reason: undefined,
      },
      {
        title: "team/lost",
        state: "refused",
        addresses: [],
        ports: "80/TCP",
        members: 1,
        reason: "AddressOutsidePools",
      },
    ]);
  });

  test("gives a reason with its code and what to do", () => {
    const main = all().claims.find(({ name }) => name === "lost")?.main;
    assert.equal(main?.code, "FL0204");
    assert.match(main?.remedy ?? "", /^Ask for an address of a pool/);
  });

  test("has agents with what they hold", () => {
    const rows = all().agents.map(({ name, state, vipsHeld, vipsPlanned, links }) => ({
      name,
      state,
      vips: `${vipsHeld}/${vipsPlanned}`,
      links,
    }));
    assert.deepEqual(rows[1], {
      name: "lb-2",
      state: "connected",
      vips: "1/2",
      links: ["eth0 192.0.2.12/24"],
    });
    assert.deepEqual(
      rows.map(({ vips }) => vips),
      ["0/2", "1/2", "1/2"],
    );
  });

  test("has pools with sizes beyond 64 bits and how full they are", () => {
    const rows = all().pools.map(
      ({ name, ranges, size, used }) => `${name} ${ranges} ${used}/${size}`,
    );
    assert.deepEqual(rows, [
      "lan 192.0.2.100-192.0.2.109 2/10",
      "six 2001:db8::-2001:db8::ffff:ffff:ffff:ffff 0/18446744073709551616",
    ]);
  });

  test("has addresses with owners, lane and order", () => {
    const [first] = all().addresses;
    assert.equal(first?.address, "192.0.2.100");
    assert.deepEqual(first?.owners, ["default/api"]);
    assert.equal(first?.state, "held");
    assert.equal(first?.holder, "lb-2");
    assert.equal(first?.lane, "192.0.2.0/24#1");
    assert.equal(first?.order.length, 3);
    assert.deepEqual(first?.waitingFor, []);
    assert.deepEqual(
      first?.standingBy,
      first?.order.filter((name) => name !== first.holder),
    );
  });

  test("has only what was asked for, and always the controller", () => {
    const rows = create(ListResponseSchema, list(makeContext(), { kinds: [ListKind.POOLS] }));
    assert.equal(rows.pools.length, 2);
    assert.equal(rows.claims.length + rows.agents.length + rows.addresses.length, 0);
    assert.equal(rows.controller?.ready, true);
    assert.equal(rows.controller?.uptimeMs, 60_000n);
  });

  test("of an unplanned world says what is waited for", () => {
    const world = makeWorld({ claims: [makeClaim("web")] });
    const view = makeCycleView(world, undefined, { notReady: "sources are being listed" });
    const rows = all(makeContext({ view }));
    assert.equal(rows.controller?.ready, false);
    assert.equal(rows.claims[0]?.state, "pending");
    assert.equal(rows.claims[0]?.main?.detail, "sources are being listed");
  });

  test("shows a changed claim with its new ports only once it is judged", () => {
    const context = makeContext();
    const claims = new Map(context.view.state.claims);
    for (const [id, seen] of claims) {
      if (seen.value.name === "web") claims.set(id, { ...seen, value: changedWeb(seen.value) });
    }
    const view = { ...context.view, state: { ...context.view.state, claims } };
    const row = all({ ...context, view }).claims.find(({ name }) => name === "web");
    assert.equal(row?.state, "ready");
    assert.deepEqual(row.ports, ["80/TCP", "53/UDP"]);
    assert.equal(row.members, 2);
  });

  test("does not give a new owner the verdict of the one before it", () => {
    const context = makeContext();
    const [web] = [...context.view.state.claims.values()].filter(
      ({ value }) => value.name === "web",
    );
    const claims = new Map(context.view.state.claims);
    assert.ok(web !== undefined);
    claims.set(web.value.id, { ...web, value: { ...web.value, uid: "uid-again" } });
    const view = { ...context.view, state: { ...context.view.state, claims } };
    const row = all({ ...context, view }).claims.find(({ name }) => name === "web");
    assert.equal(row?.state, "pending");
    assert.deepEqual(row?.addresses, []);
  });
});

suite("an agent in trouble", () => {
  const rowOf = (context: AdminContext) => {
    const row = all(context).agents.find(({ name }) => name === "lb-2");
    return row?.remarks.map(({ reason, detail }) => `${reason} ${detail}`);
  };

  test("is named with a refused plan", () => {
    const context = makeContext({
      syncState: (name) =>
        name === "lb-2"
          ? { state: "rejected", detail: "vip/192.0.2.100: no" }
          : { state: "in-sync", detail: "" },
    });
    assert.deepEqual(rowOf(context), ["ConfigRejected vip/192.0.2.100: no"]);
  });

  test("is named with the reason that it gave for what it left out", () => {
    const detail = "listener/192.0.2.100/tcp/22: sshd has 0.0.0.0:22";
    const left = { state: "rejected", detail, reason: "PortTaken" } as const;
    const inSync = { state: "in-sync", detail: "" } as const;
    const syncState = (name: string): SyncState => (name === "lb-2" ? left : inSync);
    assert.deepEqual(rowOf(makeContext({ syncState })), [`PortTaken ${detail}`]);
  });

  const gone = { connected: false, disconnectedAtMs: 1_000_000 } as const;
  const departures = [
    { how: "out of reach, once", change: gone, said: "AgentUnreachable its stream is closed" },
    {
      how: "withdrawn, and not as out of reach",
      change: { ...gone, withdrawn: true },
      said: "AgentWithdrawn its operator withdrew it",
    },
  ] as const;
  for (const { how, change, said } of departures) {
    test(`is named as ${how}`, () => {
      const context = makeContext();
      const agents = new Map(
        Array.from(context.view.state.agents, ([name, view]) => [
          name,
          name === "lb-2" ? { ...view, ...change } : view,
        ]),
      );
      const view = { ...context.view, state: { ...context.view.state, agents } };
      assert.deepEqual(rowOf({ ...context, view }), [said]);
    });
  }
});

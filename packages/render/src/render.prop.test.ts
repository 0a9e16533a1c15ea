// Whatever a plan holds: the texts are made of closed words alone, list every VIP once, and do
// not depend on the order of the input. A failure prints the seed that repeats it.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Address,
  AssertionFailure,
  type DeviceName,
  familyOf,
  type LaneResource,
  type ListenerResource,
  type MemberSetResource,
  type VipResource,
  addressFromValue,
} from "@fairlead/model";
import {
  address as addressOf,
  agentName,
  anyText,
  hostile,
  laneOf,
  listenerOf,
  MEMBER_WORDS,
  nftFaults,
  readKeepalived,
  readNginx,
  vipOf,
} from "@fairlead/testkit";
import {
  countVips,
  createTemplates,
  fillSlots,
  memberChangeScript,
  memberTableScript,
  renderKeepalived,
  renderNginx,
  type ServiceRanges,
  type TableListener,
} from "./index.ts";

const templates = createTemplates();
const RUNS = 200;

const ipv4 = fc
  .integer({ min: 0x0100_0000, max: 0xdfff_ffff })
  .map((value) => addressFromValue("ipv4", BigInt(value)));
const ipv6 = fc
  .bigInt({ min: 0x2000n << 112n, max: (0x4000n << 112n) - 1n })
  .map((value) => addressFromValue("ipv6", value));
const address: fc.Arbitrary<Address> = fc.oneof(ipv4, ipv6);
const port = fc.integer({ min: 1, max: 65_535 });
const deviceName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/);
const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);

/** Lanes that all hold one agent, with VIPs that are all different. */
const lanesWithVips = fc
  .record({
    agents: fc.uniqueArray(label, { minLength: 3, maxLength: 3 }),
    lanes: fc.uniqueArray(
      fc.record({
        routerId: fc.integer({ min: 1, max: 255 }),
        link: deviceName,
        preempt: fc.boolean(),
        advertIntervalMs: fc.integer({ min: 30, max: 10_000 }),
        size: fc.integer({ min: 1, max: 3 }),
        turn: fc.integer({ min: 0, max: 2 }),
        peers: fc.oneof(
          fc.uniqueArray(ipv4, { minLength: 3, maxLength: 3 }),
          fc.uniqueArray(ipv6, { minLength: 3, maxLength: 3 }),
        ),
      }),
      { maxLength: 6, selector: (lane) => lane.routerId },
    ),
    vips: fc.uniqueArray(address, { maxLength: 40 }),
  })
  .map(({ agents, lanes, vips }) => {
    const made = lanes.map((lane) => laneFor(agents, lane));
    return { agent: agentName(agents[0] ?? "a"), lanes: made, vips: deal(vips, made) };
  });

function laneFor(
  agents: readonly string[],
  lane: {
    readonly routerId: number;
    readonly link: string;
    readonly preempt: boolean;
    readonly advertIntervalMs: number;
    readonly size: number;
    readonly turn: number;
    readonly peers: readonly Address[];
  },
): LaneResource {
  const order = agents.slice(0, lane.size).map((agent, i) => `${agent}=${lane.peers[i] ?? ""}`);
  const turn = lane.turn % lane.size;
  return laneOf({ ...lane, order: [...order.slice(turn), ...order.slice(0, turn)] });
}

function deal(vips: readonly Address[], lanes: readonly LaneResource[]): VipResource[] {
  return vips.flatMap((vip, index) => {
    const lane = lanes[index % lanes.length];
    return lane === undefined ? [] : [vipOf(vip, lane)];
  });
}

const change: fc.Arbitrary<Partial<ListenerResource>> = fc.record(
  {
    balance: fc.constantFrom("round-robin", "least-conn", "hash", "random"),
    affinity: fc.constantFrom(
      { kind: "none" } as const,
      { kind: "client-ip", timeoutSeconds: 60 } as const,
    ),
    proxyProtocol: fc.constantFrom("none", "v1", "v2"),
    acceptProxyProtocol: fc.boolean(),
    connectTimeoutMs: fc.integer({ min: 1, max: 60_000 }),
    idleTimeoutMs: fc.integer({ min: 1, max: 86_400_000 }),
    connectionsMax: fc.integer({ min: 1, max: 1_000_000 }),
  },
  { requiredKeys: [] },
);

const member = fc.record({
  address,
  port,
  weight: fc.integer({ min: 1, max: 256 }),
  state: fc.constantFrom("active", "draining"),
});

const listeners = fc
  .uniqueArray(
    fc.record({
      address,
      port,
      protocol: fc.constantFrom("tcp", "udp"),
      change,
      members: fc.array(member, { maxLength: 5 }),
    }),
    { maxLength: 20, selector: (entry) => `${entry.address} ${entry.port} ${entry.protocol}` },
  )
  .map((entries) =>
    entries.map((entry): readonly [ListenerResource, MemberSetResource] => {
      const at = `${entry.address}:${entry.port}/${entry.protocol}`;
      const [listener, set] = listenerOf(at, [], entry.change);
      return [listener, { ...set, members: entry.members }];
    }),
  );

function keepalivedOf(
  agent: string,
  lanes: readonly LaneResource[],
  vips: readonly VipResource[],
): ReturnType<typeof renderKeepalived> {
  const paths = { trackDir: "/run/fairlead/keepalived/track" };
  return renderKeepalived({ agent: agentName(agent), lanes, vips, paths, templates });
}

function nginxOf(
  pairs: readonly (readonly [ListenerResource, MemberSetResource])[],
): ReturnType<typeof renderNginx> {
  return renderNginx({
    listeners: pairs.map(([listener]) => listener),
    memberSets: new Map(pairs.map(([, set]) => [set.name, set])),
    generation: "0123456789abcdef",
    settings: {
      workerProcesses: 2,
      workerConnections: 1024,
      openFilesMax: 4096,
      shutdownTimeoutMs: 600_000,
      paths: {
        streamModule: "/usr/lib/nginx/modules/ngx_stream_module.so",
        pid: "/run/nginx.pid",
        errorLog: "stderr",
        probeSocket: "/run/generation.sock",
      },
    },
    templates,
  });
}

test("keepalived.conf: closed words, every VIP, any order of input", () => {
  fc.assert(
    fc.property(lanesWithVips, fc.nat(), ({ agent, lanes, vips }, turn) => {
      const result = keepalivedOf(agent, lanes, vips);
      const read = readKeepalived(result.text);
      assert.deepEqual(read.faults, []);
      const wanted = vips.map(({ address: vip, prefixLength }) => `${vip}/${prefixLength}`);
      assert.deepEqual(read.vips.toSorted(), wanted.toSorted());
      assert.equal(result.vipCount, vips.length);
      assert.equal(countVips(result.text), vips.length);
      assert.equal(result.anchors.length, lanes.length);
      for (const vip of vips) {
        assert.ok(result.text.includes(`\n    ${vip.address}/${vip.prefixLength} dev `));
      }
      assert.equal(keepalivedOf(agent, turned(lanes, turn), turned(vips, turn)).text, result.text);
    }),
    { numRuns: RUNS },
  );
});

test("nginx.conf: closed words, every listener, any order of input", () => {
  fc.assert(
    fc.property(listeners, fc.nat(), (pairs, turn) => {
      const result = nginxOf(pairs);
      const read = readNginx(result.text);
      assert.deepEqual(read.faults, []);
      assert.equal(read.listens.length, pairs.length);
      assert.equal(result.listeners, pairs.length);
      const probe = 1;
      assert.equal([...result.text.matchAll(/^ {4}listen /gm)].length, pairs.length + probe);
      const shuffled = turned(pairs, turn).map(
        ([listener, set]) => [listener, { ...set, members: set.members.toReversed() }] as const,
      );
      assert.equal(nginxOf(shuffled).text, result.text);
    }),
    { numRuns: RUNS },
  );
});

test("one listener more changes nothing of what the others say", () => {
  fc.assert(
    fc.property(listeners, (all) => {
      const [first] = all;
      if (first === undefined) return;
      // Each protocol has an nginx of its own.
      const pairs = all.filter(([{ protocol }]) => protocol === first[0].protocol);
      const rest = pairs.slice(1);
      if (rest.length === 0) return;
      const whole = nginxOf(pairs).text;
      const less = nginxOf(rest).text;
      for (const part of less.split("\n\n").slice(2)) {
        assert.ok(whole.includes(part.trimEnd().replace(/\n\}$/, "")), part);
      }
    }),
    { numRuns: RUNS },
  );
});

/** Listeners of the kernel's table, each with a service address of its own. */
const tableListeners: fc.Arbitrary<readonly TableListener[]> = listeners.map((pairs) =>
  pairs.map(([{ address: vip, port: at, protocol }, { members }], index): TableListener => {
    const [first] = members;
    const family = first === undefined ? "ipv4" : familyOf(first.address);
    const base = family === "ipv4" ? 0xc612_0100n : (0xfdfa_1eadn << 96n) + 0x100n;
    const ours = members.filter((one) => familyOf(one.address) === family);
    return {
      address: vip,
      port: at,
      protocol,
      service: addressFromValue(family, base + BigInt(index)),
      slots: fillSlots(ours, 24, "in-turn"),
    };
  }),
);

const RANGES: ServiceRanges = {
  ipv4: { network: "198.18.0.0/15", target: addressFromValue("ipv4", 0xc612_0001n) },
  ipv6: { network: "fdfa:1ead::/64", target: addressFromValue("ipv6", (0xfdfa_1eadn << 96n) + 1n) },
};
const TURN = { from: 1, to: 2 };

test("the kernel's table: closed words, every slot, whole and as a change", () => {
  fc.assert(
    fc.property(tableListeners, (all) => {
      const slots = all.reduce((sum, one) => sum + one.slots.length, 0);
      const added = all.map((after) => ({ after }));
      const whole = memberTableScript(RANGES, all, 1);
      const scripts = [
        whole,
        memberChangeScript(added, () => all, TURN) ?? "",
        memberChangeScript(
          all.map((before) => ({ before })),
          () => [],
          TURN,
        ) ?? "",
      ];
      for (const script of scripts) assert.deepEqual(nftFaults(script, MEMBER_WORDS), []);
      assert.equal([...whole.matchAll(/ : \S+ \. \d+,?$/gm)].length, slots);
    }),
    { numRuns: RUNS },
  );
});

/** Text with at least one character that no parser lets through. */
function strangeText(good: string): fc.Arbitrary<string> {
  return fc
    .oneof(anyText({ minLength: 1, maxLength: 10 }), hostile(good))
    .filter((text) => /[^A-Za-z0-9._:/[\]-]/.test(text));
}

test("text that no parser would let through never reaches the kernel's table", () => {
  const places = ["address", "service", "member", "network", "target"] as const;
  const [vip, service, place] = [
    addressOf("192.0.2.100"),
    addressOf("198.18.1.0"),
    addressOf("10.0.0.1"),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...places), strangeText("192.0.2.1"), (where, text) => {
      const forged = text as Address;
      const put = (at: string, good: Address): Address => (at === where ? forged : good);
      const listener: TableListener = {
        address: put("address", vip),
        port: 80,
        protocol: "tcp",
        service: put("service", service),
        slots: [{ address: put("member", place), port: 80, weight: 1, state: "active" }],
      };
      const ranges: ServiceRanges = {
        ipv4: {
          network: put("network", "198.18.0.0/15" as Address),
          target: put("target", RANGES.ipv4.target),
        },
      };
      assert.throws(() => memberTableScript(ranges, [listener], 1), AssertionFailure);
      if (where === "network" || where === "target") return;
      assert.throws(
        () => memberChangeScript([{ after: listener }], () => [listener], TURN),
        AssertionFailure,
      );
    }),
    { numRuns: RUNS },
  );
});

test("text that no parser would let through never reaches a file", () => {
  const strange = strangeText("eth0");
  fc.assert(
    fc.property(strange, (text) => {
      const lane = laneOf({ routerId: 51, order: ["lb-1=192.0.2.11"] });
      const forged = { ...lane, link: text as DeviceName };
      assert.throws(() => keepalivedOf("lb-1", [forged], []));
    }),
    { numRuns: RUNS },
  );
});

function turned<T>(list: readonly T[], turn: number): T[] {
  const at = list.length === 0 ? 0 : turn % list.length;
  return [...list.slice(at), ...list.slice(0, at)].toReversed();
}

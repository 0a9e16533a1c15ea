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
  type ResourceName,
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
  STRANGE,
  vipOf,
} from "@fairlead/testkit";
import {
  countVips,
  createTemplates,
  fillSlots,
  turnOf,
  memberChangeScript,
  memberTableScript,
  renderKeepalived,
  renderNginx,
  type NginxInput,
  type ServicePlace,
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
  more: Partial<NginxInput> = {},
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
    ...more,
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

/** A listener with the place of its members in the kernel's table. */
interface Placed {
  readonly pair: readonly [ListenerResource, MemberSetResource];
  readonly place: ServicePlace;
  readonly table: TableListener;
}

/** Each has a service address of its own. */
const placedListeners: fc.Arbitrary<readonly Placed[]> = listeners.map((pairs) =>
  pairs.map(([listener, set], index): Placed => {
    const [first] = set.members;
    const family = first === undefined ? "ipv4" : familyOf(first.address);
    const base = family === "ipv4" ? 0xc612_0100n : (0xfdfa_1eadn << 96n) + 0x100n;
    const members = set.members.filter((one) => familyOf(one.address) === family);
    const service = addressFromValue(family, base + BigInt(index));
    const { address: vip, port: at, protocol } = listener;
    const slots = fillSlots(members, 24, "in-turn");
    const takesTurns = turnOf(listener) !== undefined;
    return {
      pair: [listener, { ...set, members }],
      place: { service, slots: 24 },
      table: { address: vip, port: at, protocol, service, slots, takesTurns },
    };
  }),
);

/** Listeners of the kernel's table. */
const tableListeners: fc.Arbitrary<readonly TableListener[]> = placedListeners.map((all) =>
  all.map(({ table }) => table),
);

const RANGES: ServiceRanges = {
  ipv4: { network: "198.18.0.0/15", target: addressFromValue("ipv4", 0xc612_0001n) },
  ipv6: { network: "fdfa:1ead::/64", target: addressFromValue("ipv6", (0xfdfa_1eadn << 96n) + 1n) },
};
const TURN = { from: 1, to: 2 };
const TARGETS = { ipv4: RANGES.ipv4.target, ipv6: addressOf("fdfa:1ead::1") };

/** What nginx.conf needs for these. */
function placesOf(all: readonly Placed[]): Pick<NginxInput, "places" | "targets"> {
  const places = all.map(({ pair: [{ name }], place }): [ResourceName, ServicePlace] => [
    name,
    place,
  ]);
  return { places: new Map(places), targets: TARGETS };
}

test("nginx.conf of places: closed words, every listener, any order of input", () => {
  fc.assert(
    fc.property(placedListeners, fc.nat(), (all, turn) => {
      // Each third has its members in the file, as those of two families have.
      const placed = placesOf(all.filter((_, index) => index % 3 !== 2));
      const pairs = all.map(({ pair }) => pair);
      const result = nginxOf(pairs, placed);
      const read = readNginx(result.text);
      assert.deepEqual(read.faults, []);
      assert.equal(read.listens.length, pairs.length);
      assert.equal(result.listeners, pairs.length);
      assert.equal(nginxOf(turned(pairs, turn), placed).text, result.text);
    }),
    { numRuns: RUNS },
  );
});

test("what nginx connects from for a listener, the kernel's table has for that one", () => {
  fc.assert(
    fc.property(placedListeners, (all) => {
      const { text } = nginxOf(
        all.map(({ pair }) => pair),
        placesOf(all),
      );
      const tables = all.map(({ table }) => table);
      const script = memberTableScript(RANGES, tables, 1);
      const sources = [...text.matchAll(/^ {4}(TCP|UDP)\/(\S+)\/(\d+) (\S+);$/gm)];
      assert.equal(sources.length, all.length);
      const listed = new Set(script.split("\n").map((line) => line.replace(/,$/, "")));
      for (const [, protocol = "", vip = "", at = "", service = ""] of sources) {
        const word = protocol.toLowerCase();
        assert.ok(listed.has(`${vip} . ${word} . ${at}`), "its clients are not tracked");
        const of = tables.find((one) => one.service === service);
        assert.ok(of?.address === vip && String(of.port) === at && of.protocol === word);
        const target = familyOf(of.service) === "ipv4" ? TARGETS.ipv4 : `[${TARGETS.ipv6}]`;
        for (const [slot, { address: to, port: its }] of of.slots.entries()) {
          const isNamed: boolean = !of.takesTurns || slot < 3;
          const flags = of.takesTurns ? " backup" : "";
          const element: string = `${service} . ${word} . ${slot + 1} : ${to} . ${its}`;
          assert.equal(listed.has(element), isNamed);
          assert.equal(listed.has(`${service} . ${slot} : ${to} . ${its}`), of.takesTurns);
          const server = `\n    server ${target}:${slot + 1} max_fails=0${flags};\n`;
          if (isNamed) assert.ok(text.includes(server), server);
        }
      }
    }),
    { numRuns: RUNS },
  );
});

/** Elements of the table: those that the kernel chooses from, and what nginx names itself. */
function countOf({ slots, takesTurns }: TableListener): number {
  return slots.length + (takesTurns ? Math.min(3, slots.length) : 0);
}

test("the kernel's table: closed words, every slot, whole and as a change", () => {
  fc.assert(
    fc.property(tableListeners, (all) => {
      const slots = all.reduce((sum, one) => sum + countOf(one), 0);
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
  return fc.oneof(anyText({ minLength: 1, maxLength: 10 }), hostile(good)).filter(isStrange);
}

function isStrange(text: string): boolean {
  return /[^A-Za-z0-9._:/[\]-]/.test(text);
}

/** Every text of the kernel's table. */
const TABLE_TEXTS = [
  ["address", "192.0.2.100"],
  ["service", "198.18.1.0"],
  ["member", "10.0.0.1"],
  ["network", "198.18.0.0/15"],
  ["target", "198.18.0.1"],
] as const;

/** Scripts with this text in the place of one word: the whole table, and a change of it. */
function forgedTable(where: string, text: string): readonly (() => string)[] {
  const put = (at: string, good: string): Address => (at === where ? text : good) as Address;
  const listener: TableListener = {
    address: put("address", "192.0.2.100"),
    port: 80,
    protocol: "tcp",
    service: put("service", "198.18.1.0"),
    slots: [{ address: put("member", "10.0.0.1"), port: 80, weight: 1, state: "active" }],
    takesTurns: false,
  };
  const ranges: ServiceRanges = {
    ipv4: { network: put("network", "198.18.0.0/15"), target: put("target", "198.18.0.1") },
  };
  const whole = (): string => memberTableScript(ranges, [listener], 1);
  if (where === "network" || where === "target") return [whole];
  return [whole, () => memberChangeScript([{ after: listener }], () => [listener], TURN) ?? ""];
}

test("text that no parser would let through never reaches the kernel's table", () => {
  fc.assert(
    fc.property(fc.constantFrom(...TABLE_TEXTS), strangeText("192.0.2.1"), ([where], text) => {
      for (const script of forgedTable(where, text)) assert.throws(script, AssertionFailure);
    }),
    { numRuns: RUNS },
  );
});

/** Words with each control character, mark and look-alike before, in and behind them. */
function strangeWords(good: string): readonly string[] {
  return STRANGE.filter(isStrange).flatMap((one) => [
    `${one}${good}`,
    `${good.slice(0, 2)}${one}${good.slice(2)}`,
    `${good}${one}`,
  ]);
}

for (const [where, good] of TABLE_TEXTS) {
  test(`no control character and no look-alike reaches the kernel's table as a ${where}`, () => {
    for (const script of forgedTable(where, good)) {
      assert.deepEqual(nftFaults(script(), MEMBER_WORDS), [], "it is read when it is good");
    }
    for (const text of strangeWords(good)) {
      for (const script of forgedTable(where, text)) {
        assert.throws(script, AssertionFailure, JSON.stringify(text));
      }
    }
  });
}

/** Every text of nginx.conf that is not ours alone, of listeners with places and without. */
const NGINX_TEXTS = [
  ["address", "192.0.2.100"],
  ["placed address", "192.0.2.100"],
  ["member", "10.0.0.1"],
  ["service", "198.18.1.0"],
  ["target", "198.18.0.1"],
  ["generation", "0123456789abcdef"],
] as const;

/** A file with this text in the place of one word. */
function forgedNginx(where: string, text: string): string {
  const forged = (at: string, good: string): Address => (at === where ? text : good) as Address;
  const [listener, set] = listenerOf("192.0.2.100:80/tcp", ["10.0.0.1:80"]);
  const [other, others] = listenerOf("192.0.2.100:81/tcp", ["10.0.0.1:80"]);
  const service = forged("service", "198.18.1.0");
  return nginxOf(
    [
      [
        { ...listener, address: forged("address", listener.address) },
        {
          ...set,
          members: set.members.map((one) => ({ ...one, address: forged("member", one.address) })),
        },
      ],
      [{ ...other, address: forged("placed address", other.address) }, others],
    ],
    {
      places: new Map([[other.name, { service, slots: 24 }]]),
      targets: { ipv4: forged("target", "198.18.0.1") },
      generation: forged("generation", "0123456789abcdef"),
    },
  ).text;
}

for (const [where, good] of NGINX_TEXTS) {
  test(`no control character and no look-alike reaches nginx.conf as a ${where}`, () => {
    assert.deepEqual(readNginx(forgedNginx(where, good)).faults, [], "it is read when it is good");
    for (const text of strangeWords(good)) {
      assert.throws(() => forgedNginx(where, text), AssertionFailure, JSON.stringify(text));
    }
  });
}

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

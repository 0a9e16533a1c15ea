// First keeps working, through every order of events. Two Services that ask for one port of one
// address ended an older system with a panic; here the later one is told who has it, and nothing of
// the first one changes. Given every order of a few events; a failure names the order.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Claim,
  type ClaimId,
  type LeasedAddress,
  type Plan,
  type World,
  claimTitle,
} from "@fairlead/model";
import {
  address,
  findVerdict,
  makeAgent,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";

import { createPlanMemory, plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const VIP = address("192.168.0.226");
const agents = ["lb-1", "lb-2"].map((name, at) =>
  makeAgent(name, { prefixes: [`192.168.0.${at + 11}/24`] }),
);
const pools = [makePool("lan", "192.168.0.226-192.168.0.227")];

/** What happens: the claims after it, by those before. */
interface Event {
  readonly name: string;
  readonly apply: (claims: ReadonlyMap<ClaimId, Claim>) => ReadonlyMap<ClaimId, Claim>;
}

function wants(name: string, options: Parameters<typeof makeClaim>[1]): Event {
  const claim = makeClaim(name, { wishes: [VIP], ...options });
  return {
    name: `${name} wants ${claim.listeners.map(({ port }) => port).join()}`,
    apply: (claims) => new Map(claims).set(claim.id, claim),
  };
}

function ends(name: string): Event {
  const { id } = makeClaim(name);
  return {
    name: `${name} is deleted`,
    apply: (claims) => new Map([...claims].filter(([one]) => one !== id)),
  };
}

function ordersOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, at) =>
    ordersOf(items.toSpliced(at, 1)).map((rest) => [first, ...rest]),
  );
}

/** Who had a port of the address keeps it while it asks for it, and no port has two owners. */
function judge(before: LeasedAddress | undefined, now: LeasedAddress | undefined, world: World) {
  const ports = (now?.owners ?? []).flatMap(({ claim, ports: own }) =>
    own.map(({ protocol, port }) => ({ claim, key: `${protocol}/${port}` })),
  );
  assert.equal(new Set(ports.map(({ key }) => key)).size, ports.length, "a port has two owners");
  for (const { claim, uid, ports: own } of before?.owners ?? []) {
    const asking = world.claims.get(claim);
    if (asking?.uid !== uid) continue;
    for (const { protocol, port } of own) {
      const isAsked = asking.listeners.some(
        (one) => one.protocol === protocol && one.port === port,
      );
      const owner = ports.find(({ key }) => key === `${protocol}/${port}`)?.claim;
      if (isAsked) assert.equal(owner, claim, `${port} was taken from ${claimTitle(claim)}`);
    }
  }
}

function play(events: readonly Event[]): { readonly world: World; readonly last: Plan } {
  const memory = createPlanMemory();
  let world = makeWorld({ agents, pools });
  let last = plan(world, { revisionOf, memory });
  for (const { apply } of events) {
    const before = last.leases.get(VIP);
    const answers = proveAll(world, last);
    const claims = [...apply(world.claims).values()];
    world = nextWorld(world, last, { claims, agents: answers, nowMs: world.nowMs + 1000 });
    last = plan(world, { revisionOf, memory });
    judge(before, last.leases.get(VIP), world);
    assert.equal(last.verdicts.size, claims.length);
  }
  return { world, last };
}

const STORIES: readonly { readonly name: string; readonly events: readonly Event[] }[] = [
  {
    name: "two Services on 192.168.0.226:8888",
    events: [
      wants("first", { ports: ["tcp/8888"] }),
      wants("second", { ports: ["tcp/8888"] }),
      ends("first"),
      wants("first", { ports: ["tcp/8888"], uid: "uid-again" }),
      ends("second"),
    ],
  },
  {
    name: "two Services with one key on 192.168.0.226:8888, one of which asks for more",
    events: [
      wants("first", { ports: ["tcp/8888"], sharingKey: "k" }),
      wants("second", { ports: ["tcp/8888", "udp/8888"], sharingKey: "k" }),
      wants("third", { ports: ["udp/8888"], sharingKey: "k" }),
      wants("first", { ports: ["tcp/80", "udp/8888"], sharingKey: "k" }),
      ends("second"),
    ],
  },
  {
    name: "one Service that gives its key away",
    events: [
      wants("first", { ports: ["tcp/80"], sharingKey: "k" }),
      wants("second", { ports: ["tcp/443"], sharingKey: "k" }),
      wants("first", { ports: ["tcp/80", "tcp/443"] }),
      wants("second", { ports: ["tcp/443", "tcp/80"], sharingKey: "other" }),
      ends("first"),
    ],
  },
];

for (const { name, events } of STORIES) {
  test(`${name}: in every order the first keeps working`, () => {
    for (const order of ordersOf(events)) {
      try {
        play(order);
      } catch (error) {
        const names = order.map((event) => event.name).join(", ");
        throw new Error(`when ${names}`, { cause: error });
      }
    }
  });
}

test("whoever comes second to 192.168.0.226:8888 is told who has it, and then gets it", () => {
  const first = wants("first", { ports: ["tcp/8888"], sharingKey: "k" });
  const second = wants("second", { ports: ["tcp/8888"], sharingKey: "k" });
  const { main } = findVerdict(play([first, second]).last, "second");
  assert.match(main?.detail ?? "", /192\.168\.0\.226 port 8888\/TCP is held by default\/first/);
  const freed = play([first, second, ends("first"), ends("nobody"), ends("nobody")]);
  const [owner] = freed.last.leases.get(VIP)?.owners ?? [];
  assert.equal(owner?.claim, makeClaim("second").id);
});

// Pools whose addresses an IPAM elsewhere gives: what is wanted of it, what becomes of its answers,
// and when an address is given back. The IPAM is played by hand: a story says what is seen of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AddressPool,
  type IpamSights,
  type Plan,
  type Registration,
  type RegistrationSight,
  type World,
  claimTitle,
  ipamLineId,
} from "@fairlead/model";
import {
  address,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";

import { createPlanMemory, plan } from "./index.ts";

const URL = "http://ipam.example";

function external(name: string, options: Partial<AddressPool> = {}): AddressPool {
  const { ranges: _, ...pool } = makePool(name, "192.0.2.1", options);
  const rule = { url: URL, class: "lab", families: ["ipv4"], renewMs: 300_000 } as const;
  return { ...pool, ranges: [], external: rule, ...options };
}

/** A line of plannings, each with the memory of those before. */
class Line {
  world: World;
  plan: Plan;
  readonly #memory = createPlanMemory();
  readonly #revisionOf = makeRevisionOf();

  constructor(world: World) {
    this.world = world;
    this.plan = this.#planned();
  }

  next(changes: Parameters<typeof nextWorld>[2] = {}): void {
    this.world = nextWorld(this.world, this.plan, { nowMs: this.world.nowMs + 10, ...changes });
    this.plan = this.#planned();
  }

  /** The IPAM gives these to whoever waits, the oldest wish first. */
  grant(...texts: readonly string[]): void {
    const waiting = this.registrations().filter((one) => one.address === undefined);
    this.see(
      waiting.flatMap(({ uuid }, index): [string, RegistrationSight][] => {
        const text = texts[index];
        return text === undefined ? [] : [[uuid, { kind: "granted", address: address(text) }]];
      }),
    );
  }

  see(seen: readonly [string, RegistrationSight][], troubles: IpamSights["troubles"] = new Map()) {
    this.next({ ipam: { registrations: new Map(seen), troubles } });
  }

  /** Everything that ends is seen to be given back. */
  release(): void {
    const ending = this.registrations().filter((one) => one.ending);
    this.see(ending.map(({ uuid }) => [uuid, { kind: "released" }]));
  }

  registrations(): readonly Registration[] {
    return this.plan.intents.filter((intent) => intent.kind === "register");
  }

  /** `web wants any`, `web 192.0.2.100`, `web 192.0.2.100 ending`. */
  registered(): readonly string[] {
    return this.registrations().map(({ claim, address: given, wish = "any", ending }) => {
      const name = claimTitle(claim).replace(/^.*\//u, "");
      return `${name} ${given ?? `wants ${wish}`}${ending === true ? " ending" : ""}`;
    });
  }

  /** `web 192.0.2.100`, or `web WaitsForIpam: ...`. */
  said(): readonly string[] {
    return [...this.plan.verdicts.values()].map(({ claim, main, addresses }) => {
      const name = claimTitle(claim).replace(/^.*\//u, "");
      const held = addresses.map((one) => one.address).join(" ");
      return held === "" ? `${name} ${main?.reason}: ${main?.detail}` : `${name} ${held}`;
    });
  }

  #planned(): Plan {
    const planned = plan(this.world, { revisionOf: this.#revisionOf, memory: this.#memory });
    const fresh = plan(this.world, { revisionOf: this.#revisionOf });
    assert.deepEqual(planned, fresh, "memory changes no result");
    const again = plan(nextWorld(this.world, planned), { revisionOf: this.#revisionOf });
    assert.deepEqual(again.intents, planned.intents, "planning its own result changes nothing");
    return planned;
  }
}

const web = makeClaim("web", { createdAtMs: 1 });
const mail = makeClaim("mail", { createdAtMs: 2 });

test("a claim waits, is served with what was given, and its address is given back at last", () => {
  const line = new Line(makeWorld({ pools: [external("ext")], claims: [web] }));
  const waits = `web WaitsForIpam: pool ext: ${URL} is asked for an address of class lab`;
  assert.deepEqual(line.said(), [waits]);
  assert.deepEqual(line.registered(), ["web wants any"]);
  line.next();
  assert.deepEqual(line.registered(), ["web wants any"], "and no second one");
  line.grant("192.0.2.100");
  assert.deepEqual(line.said(), ["web 192.0.2.100"]);
  line.see([]);
  assert.deepEqual(line.registered(), ["web 192.0.2.100"], "without being seen again");
  line.next({ claims: [] });
  line.next({ agents: proveAll(line.world, line.plan) });
  assert.deepEqual(line.registered(), ["web 192.0.2.100"], "it rests here first");
  line.next({ nowMs: line.world.nowMs + 61_000 });
  assert.deepEqual(line.registered(), ["web 192.0.2.100 ending"]);
  line.next({ claims: [web] });
  assert.deepEqual(line.said(), [waits], "what ends is given to nobody");
  line.release();
  assert.deepEqual(line.registered(), ["web wants any"]);
});

test("an address is taken by whoever is older, whoever it was asked for", () => {
  const line = new Line(makeWorld({ pools: [external("ext")], claims: [mail] }));
  line.next({ claims: [mail, web] });
  line.grant("192.0.2.100");
  assert.deepEqual(
    line.said().filter((one) => one.includes("192.")),
    ["web 192.0.2.100"],
  );
  // Mail's was taken: it asks for another one, and what web asked for is not wanted any more.
  assert.deepEqual(line.registered().toSorted(), [
    "mail 192.0.2.100",
    "mail wants any",
    "web wants any ending",
  ]);
});

test("while the IPAM is away what it gave stays, and who waits is told why", () => {
  const line = new Line(makeWorld({ pools: [external("ext")], claims: [web] }));
  line.grant("192.0.2.100");
  const troubles = new Map([[ipamLineId(external("ext").name, URL), "connect ECONNREFUSED"]]);
  line.next({ claims: [web, mail], ipam: { registrations: new Map(), troubles } });
  assert.deepEqual(line.said(), [
    "web 192.0.2.100",
    `mail IpamUnreachable: pool ext: ${URL} cannot be asked: connect ECONNREFUSED`,
  ]);
  assert.deepEqual(
    line.plan.findings.filter(({ subject }) => subject === "pool"),
    [
      {
        subject: "pool",
        name: "ext",
        reason: "IpamUnreachable",
        detail: `${URL} cannot be asked: connect ECONNREFUSED; what it gave stays`,
      },
    ],
  );
});

test("a claim that is refused goes on asking, and another pool serves it meanwhile", () => {
  const pools = [external("ext", { priority: 5 }), makePool("lan", "192.0.2.200")];
  const line = new Line(makeWorld({ pools, claims: [web, mail] }));
  assert.deepEqual(
    line.said().map((one) => one.split(":")[0]),
    ["web WaitsForIpam", "mail WaitsForIpam"],
    "the preferred pool is waited for",
  );
  const detail = "class lab has no free address (ClassExhausted)";
  line.see(line.registrations().map(({ uuid }) => [uuid, { kind: "refused", detail }]));
  assert.deepEqual(line.said(), [
    "web 192.0.2.200",
    `mail IpamRefused: pool ext: ${URL} refuses: ${detail}`,
  ]);
  assert.deepEqual(line.registered(), ["web wants any ending", "mail wants any"]);
});

test("an address that is wished for is asked for by name", () => {
  const wishing = makeClaim("web", { createdAtMs: 1, wishes: ["192.0.2.77"] });
  const line = new Line(makeWorld({ pools: [external("ext")], claims: [wishing] }));
  assert.deepEqual(line.registered(), ["web wants 192.0.2.77"]);
  line.grant("192.0.2.77");
  assert.deepEqual(line.said(), ["web 192.0.2.77"]);
  // It wishes for another one: served by the old one until that is given.
  const other = makeClaim("web", { createdAtMs: 1, wishes: ["192.0.2.78"] });
  line.next({ claims: [other] });
  assert.deepEqual(line.said(), ["web 192.0.2.77"]);
  assert.deepEqual(line.registered(), ["web 192.0.2.77", "web wants 192.0.2.78"]);
});

test("what another pool has, or no VIP can be, is not used and not asked for again and again", () => {
  for (const given of ["192.0.2.200", "127.0.0.1", "192.0.2.11"]) {
    const pools = [external("ext", { priority: 5 }), makePool("lan", "192.0.2.200")];
    const claim = makeClaim("web", { wishedPool: "ext" });
    const line = new Line(makeWorld({ pools, claims: [claim] }));
    line.grant(given);
    const why = `web IpamRefused: pool ext: ${URL} gave ${given}, which cannot be used here`;
    assert.deepEqual(line.said(), [why]);
    assert.deepEqual(line.registered(), [`web ${given}`]);
    line.next({ claims: [] });
    assert.deepEqual(line.registered(), [`web ${given} ending`]);
  }
});

test("both families come together or not at all, and nothing is given back meanwhile", () => {
  const rule = { url: URL, class: "lab", families: ["ipv4", "ipv6"], renewMs: 300_000 } as const;
  const families = { policy: "RequireDualStack", families: [] } as const;
  const claim = makeClaim("web", { families });
  const pools = [external("ext", { external: rule })];
  const line = new Line(makeWorld({ pools, claims: [claim] }));
  assert.deepEqual(line.registered(), ["web wants any", "web wants any"]);
  line.grant("192.0.2.100");
  assert.match(line.said().join(), /WaitsForIpam/u);
  assert.deepEqual(line.registered(), ["web 192.0.2.100", "web wants any"]);
  line.next();
  assert.deepEqual(line.registered(), ["web 192.0.2.100", "web wants any"]);
  line.grant("2001:db8::100");
  assert.deepEqual(line.said(), ["web 192.0.2.100 2001:db8::100"]);
});

test("an address that the IPAM gave to somebody else stays, and the pool says so", () => {
  const line = new Line(makeWorld({ pools: [external("ext")], claims: [web] }));
  line.grant("192.0.2.100");
  line.see(line.registrations().map(({ uuid }) => [uuid, { kind: "lost", detail: "printer's" }]));
  assert.deepEqual(line.said(), ["web 192.0.2.100"]);
  const lost = line.plan.findings.find(({ reason }) => reason === "RegistrationLost");
  assert.equal(lost?.detail, "its IPAM no longer gives it 192.0.2.100 (printer's)");
  line.see([]);
  assert.ok(!line.plan.findings.some(({ subject }) => subject === "pool"));
});

test("onShrink: reassign moves a claim off what its IPAM gave to somebody else", () => {
  const pool = external("ext", { onShrink: "reassign" });
  const line = new Line(makeWorld({ pools: [pool], claims: [web] }));
  line.grant("192.0.2.100");
  line.next({ agents: proveAll(line.world, line.plan) });
  const [first] = line.registrations();
  const lost: [string, RegistrationSight] = [
    first?.uuid ?? "",
    { kind: "lost", detail: "printer's" },
  ];
  line.see([lost]);
  assert.deepEqual(line.registered(), ["web 192.0.2.100", "web wants any"]);
  const next = line.registrations()[1];
  line.see([lost, [next?.uuid ?? "", { kind: "granted", address: address("192.0.2.101") }]]);
  assert.deepEqual(line.said(), ["web 192.0.2.100 192.0.2.101"]);
});

test("a pool that goes to another class, or away, keeps what is held and gives the rest back", () => {
  const line = new Line(makeWorld({ pools: [external("ext")], claims: [web, mail] }));
  line.grant("192.0.2.100");
  const rule = { url: URL, class: "other", families: ["ipv4"], renewMs: 300_000 } as const;
  line.next({ pools: [external("ext", { external: rule })] });
  assert.deepEqual(line.said()[0], "web 192.0.2.100");
  assert.deepEqual(line.registered().toSorted(), [
    "mail wants any",
    "mail wants any ending",
    "web 192.0.2.100",
  ]);
  line.next({ pools: [] });
  assert.deepEqual(line.said()[0], "web 192.0.2.100");
  assert.deepEqual(line.registered().toSorted(), [
    "mail wants any ending",
    "mail wants any ending",
    "web 192.0.2.100",
  ]);
});

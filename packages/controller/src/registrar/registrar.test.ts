// The registrar over an IPAM in memory, on a fake clock: what it asks for and when, what it says of
// it, and what it does while the IPAM is away.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Address,
  type ClaimId,
  type IpamSights,
  type LeasedAddress,
  type PoolName,
  type Registration,
  NO_SIGHTS,
  ipamLineId,
} from "@fairlead/model";
import { EdgeError, type FakeClock, createFakeClock } from "@fairlead/runtime";
import { address, createMemoryIpam, makeLease, type MemoryIpam } from "@fairlead/testkit";

import type { IpamRequest, IpamResult } from "./ipam-line.ts";
import type { IpamAccount, IpamClient } from "./ports.ts";
import { createRegistrar } from "./registrar.ts";

const RENEW_MS = 60_000;

/** A registrar and its IPAM. Time passes by `pass` alone. */
class Stage implements AsyncDisposable {
  readonly clock: FakeClock = createFakeClock({});
  readonly ipam: MemoryIpam = createMemoryIpam(
    ["192.0.2.100", "192.0.2.101"].map((text) => address(text)),
  );
  sights: IpamSights = NO_SIGHTS;
  readonly asked: string[] = [];
  /** The pool whose token the IPAM does not take. */
  refused: PoolName | undefined;
  readonly #registrar = createRegistrar({
    client: withTokens(this.ipam.client(), ({ pool }) => pool !== this.refused),
    clock: this.clock,
    random: () => 0.5,
    emit: (facts) => {
      for (const fact of facts) if (fact.kind === "ipam-seen") this.sights = fact.sights;
    },
    onAsked: (request: IpamRequest, result: IpamResult) => this.asked.push(`${request} ${result}`),
  });

  /** Who has what by now, as the next publication says it. */
  leases: ReadonlyMap<Address, LeasedAddress> = new Map();

  async tell(...registrations: readonly Registration[]): Promise<void> {
    await this.#registrar.publish({
      claims: new Map(),
      verdicts: new Map(),
      leases: this.leases,
      agents: new Map(),
      moves: new Map(),
      findings: [],
      intents: registrations,
    });
    await this.pass(1);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  pause(): void {
    this.#registrar.pause?.();
  }

  /** `1 granted 192.0.2.100`, by the last digit of the uuid. */
  seen(): readonly string[] {
    return [...this.sights.registrations].map(([uuid, sight]) => {
      const what = sight.kind === "granted" ? ` ${sight.address}` : "";
      return `${uuid.at(-1)} ${sight.kind}${what}`;
    });
  }

  /** What was asked since the last time. */
  takeAsked(): readonly string[] {
    return this.asked.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registrar[Symbol.asyncDispose]();
  }
}

/** The client of an IPAM that takes some pools' tokens. */
function withTokens(client: IpamClient, isTaken: (account: IpamAccount) => boolean): IpamClient {
  const check = (account: IpamAccount): void => {
    if (isTaken(account)) return;
    throw new EdgeError({ code: "FORBIDDEN", message: "it refuses the token", retryable: true });
  };
  return {
    register: async (place, wish) => {
      check(place);
      return await client.register(place, wish);
    },
    renew: async (account, uuids) => {
      check(account);
      return await client.renew(account, uuids);
    },
    release: async (account, uuid) => {
      check(account);
      await client.release(account, uuid);
    },
  };
}

function registration(
  n: number,
  options: Partial<Pick<Registration, "address" | "wish" | "ending" | "pool" | "renewMs">> = {},
): Registration {
  const uuid = `d0000000-0000-4000-8000-00000000000${n}`;
  return {
    id: `register-${n}`,
    sinceMs: n,
    kind: "register",
    uuid,
    pool: "ext" as PoolName,
    url: "http://ipam.example",
    class: "lab",
    renewMs: RENEW_MS,
    claim: `Service/default/s${n}` as ClaimId,
    family: "ipv4",
    ...options,
  };
}

function ownerOf(title: string): LeasedAddress["owners"][number] {
  return { claim: `Service/${title}` as ClaimId, uid: title, ports: [] };
}

const FIRST = address("192.0.2.100");
const SECOND = address("192.0.2.101");

test("what is wanted is asked for, the oldest first, and what ends is given back once", async () => {
  await using stage = new Stage();
  await stage.tell(registration(1), registration(2), registration(3));
  assert.deepEqual(stage.seen(), ["1 granted 192.0.2.100", "2 granted 192.0.2.101", "3 refused"]);
  const ending = registration(1, { address: FIRST, ending: true });
  await stage.tell(ending, registration(2, { address: SECOND }), registration(3));
  assert.ok(stage.seen().includes("1 released"));
  await stage.pass(60_000);
  assert.ok(stage.seen().includes("3 granted 192.0.2.100"), "as soon as there is one");
  assert.equal(stage.asked.filter((one) => one.startsWith("release")).length, 1);
});

test("what is held is renewed at the start and then before its time, in one request", async () => {
  await using stage = new Stage();
  await stage.tell(registration(1), registration(2));
  const held = [registration(1, { address: FIRST }), registration(2, { address: SECOND })];
  await stage.tell(...held);
  stage.takeAsked();
  await stage.pass(RENEW_MS);
  assert.deepEqual(stage.takeAsked(), ["renew done"]);
  stage.pause();
  assert.deepEqual(stage.sights, NO_SIGHTS);
  await stage.pass(10 * RENEW_MS);
  assert.deepEqual(stage.takeAsked(), [], "another one leads");
  await stage.tell(...held);
  assert.deepEqual(stage.takeAsked(), ["renew done"], "at the start");
});

test("a pool that is to renew more often does so from then on, not after the old interval", async () => {
  await using stage = new Stage();
  const held = { address: FIRST, renewMs: 24 * RENEW_MS };
  await stage.tell(registration(1, { renewMs: held.renewMs }));
  await stage.tell(registration(1, held));
  stage.takeAsked();
  await stage.pass(2 * RENEW_MS);
  assert.deepEqual(stage.takeAsked(), []);
  await stage.tell(registration(1, { ...held, renewMs: RENEW_MS }));
  await stage.pass(RENEW_MS);
  assert.deepEqual(stage.takeAsked(), ["renew done"]);
  await stage.pass(RENEW_MS);
  assert.deepEqual(stage.takeAsked(), ["renew done"]);
});

test("what the IPAM forgot is asked for again; what somebody else has is lost", async () => {
  await using stage = new Stage();
  await stage.tell(registration(1), registration(2));
  stage.ipam.takeBack(FIRST);
  stage.ipam.takeBack(SECOND, "printer");
  await stage.tell(registration(1, { address: FIRST }), registration(2, { address: SECOND }));
  await stage.pass(RENEW_MS);
  assert.deepEqual(stage.ipam.held(), [
    "192.0.2.100 fairlead: pool ext, default/s1",
    "192.0.2.101 printer",
  ]);
  assert.deepEqual(stage.seen(), ["2 lost"]);
  stage.ipam.takeBack(SECOND);
  await stage.pass(RENEW_MS);
  assert.deepEqual(stage.seen(), [], "it is ours again");
});

test("an address that passes to one that shared it has that one's name at the IPAM", async () => {
  await using stage = new Stage();
  const ofIpam = async (...names: readonly string[]): Promise<string> => {
    const owners = names.map((name) => ownerOf(`default/${name}`));
    stage.leases = new Map([[FIRST, { ...makeLease(1), address: FIRST, owners }]]);
    await stage.tell(registration(1, { address: FIRST }));
    return stage.ipam.held().join();
  };
  const wordsOf = (name: string): string => `${FIRST} fairlead: pool ext, default/${name}`;
  await stage.tell(registration(1));
  stage.takeAsked();
  assert.equal(await ofIpam("s1", "web"), wordsOf("s1"));
  stage.ipam.isAway = true;
  assert.equal(await ofIpam("web"), wordsOf("s1"));
  stage.ipam.isAway = false;
  await stage.pass(5000);
  assert.equal(await ofIpam("web"), wordsOf("web"), "the first one has gone");
  assert.equal(await ofIpam("api", "web"), wordsOf("web"), "who joins takes no name away");
  assert.equal(await ofIpam(), wordsOf("web"), "while it rests it is known by who had it last");
  assert.deepEqual(stage.takeAsked(), ["register failed", "register done"], "it is told once");
});

test("a pool whose token is refused keeps no other pool of the same IPAM from being served", async () => {
  await using stage = new Stage();
  const dmz = "dmz" as PoolName;
  stage.refused = dmz;
  await stage.tell(registration(1, { pool: dmz }), registration(2));
  assert.deepEqual(stage.seen(), ["2 granted 192.0.2.100"]);
  const line = ipamLineId(dmz, "http://ipam.example");
  assert.deepEqual([...stage.sights.troubles], [[line, "it refuses the token"]]);
  stage.refused = undefined;
  await stage.pass(1000);
  assert.deepEqual(stage.seen(), ["1 granted 192.0.2.101", "2 granted 192.0.2.100"]);
  assert.deepEqual([...stage.sights.troubles], []);
});

test("while the IPAM is away it is asked ever less often, and all is made up for later", async () => {
  await using stage = new Stage();
  stage.ipam.isAway = true;
  await stage.tell(registration(1), registration(2, { address: SECOND, ending: true }));
  assert.deepEqual([...stage.sights.troubles.values()], ["nobody answers at the IPAM"]);
  await stage.pass(3_600_000);
  const tries = stage.takeAsked();
  assert.ok(tries.length > 100 && tries.length < 400, `${tries.length} tries in an hour`);
  assert.deepEqual(new Set(tries), new Set(["release failed"]));
  stage.ipam.isAway = false;
  await stage.pass(30_000);
  assert.deepEqual([...stage.sights.troubles], []);
  assert.deepEqual(stage.seen(), ["2 released", "1 granted 192.0.2.100"]);
});

test("one class that is full is not asked for everybody who waits", async () => {
  await using stage = new Stage();
  await stage.tell(...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => registration(n)));
  stage.takeAsked();
  await stage.pass(600);
  // Those of one batch are under way together.
  assert.ok(stage.takeAsked().length <= 7);
});

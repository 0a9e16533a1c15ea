// Whatever is wanted, refused, lost and restarted in whatever order: in the end the agent has what
// is wanted, but for contents that it refuses, and keeps what is retained. On the way every plan
// that it is led to holds together.

import assert from "node:assert";
import { test } from "node:test";
import type { Address, AgentHello, NodePlan, Resource, ResourceName } from "@fairlead/model";
import { agentName, laneOf, listenerOf, vipOf } from "@fairlead/testkit";
import { createRevisions, type Inventory, type Nack, type OutgoingUpdate } from "@fairlead/wire";
import fc from "fast-check";

import {
  EMPTY_OUTBOX,
  type Outbox,
  type OutboxEvent,
  type OutboxMessage,
  outboxTarget,
  stepOutbox,
} from "./outbox.ts";
import { wantedPlan } from "./wanted-plan.ts";

const AGENT = agentName("lb1");
const LANES = [51, 52].map((routerId) => laneOf({ routerId, order: ["lb1=192.0.2.11"] }));
const ADDRESSES = ["192.0.2.100", "192.0.2.101", "192.0.2.102"];
const revisions = createRevisions();
/** So small that most differences take several updates. */
const CONTEXT = { planRevisionOf: revisions.planRevisionOf, bytesMax: 300 };

/** What is wanted for one address. */
type Wish = "absent" | "retained" | { readonly lane: number; readonly members: number };

const anyWish: fc.Arbitrary<Wish> = fc.oneof(
  fc.constant("absent" as const),
  fc.constant("retained" as const),
  fc.record({ lane: fc.nat(1), members: fc.nat(2) }),
);
const anyPlan = fc.array(anyWish, { minLength: ADDRESSES.length, maxLength: ADDRESSES.length });

type Command =
  | { readonly kind: "want"; readonly wishes: readonly Wish[] }
  | { readonly kind: "answer" }
  | { readonly kind: "lose-stream" }
  | { readonly kind: "connect" }
  | { readonly kind: "restart-controller" };

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  anyPlan.map((wishes) => ({ kind: "want" as const, wishes })),
  { arbitrary: fc.constant({ kind: "answer" as const }), weight: 3 },
  fc.constant({ kind: "lose-stream" as const }),
  fc.constant({ kind: "connect" as const }),
  fc.constant({ kind: "restart-controller" as const }),
);

/** Contents that this agent never takes. */
const anyPoison = fc.subarray(
  ["192.0.2.100 lane 0", "192.0.2.101 lane 1", "192.0.2.102 members 1", "lane 1"],
  { maxLength: 2 },
);

function planOf(wishes: readonly Wish[]): NodePlan {
  const resources = new Map<ResourceName, Resource>();
  const retained: Address[] = [];
  wishes.forEach((wish, i) => {
    const lane = typeof wish === "object" ? LANES[wish.lane] : LANES[0];
    assert.ok(lane);
    const vip = vipOf(ADDRESSES[i] ?? "", lane);
    if (wish === "retained") retained.push(vip.address);
    if (typeof wish !== "object") return;
    const members = Array.from({ length: wish.members }, (_, n) => `10.0.0.${n + 1}:8080`);
    for (const one of [lane, vip, ...listenerOf(`${vip.address}:80`, members)]) {
      resources.set(one.name, one);
    }
  });
  return { agent: AGENT, resources, retained };
}

/** An agent and a controller with a stream that can be lost between them. */
class Pair {
  outbox: Outbox = EMPTY_OUTBOX;
  held: ReadonlyMap<ResourceName, Resource> | undefined;
  readonly #poison: ReadonlySet<string>;
  #pending: OutboxMessage | undefined;
  #isConnected = false;

  constructor(poison: readonly string[]) {
    this.#poison = new Set(poison);
  }

  step(event: OutboxEvent): void {
    const { outbox, send } = stepOutbox(this.outbox, event, CONTEXT);
    this.outbox = outbox;
    if (send === undefined) return;
    assert.equal(this.#pending, undefined, "one message awaits its answer at a time");
    assert.ok(this.#isConnected, "nothing is sent without a stream");
    this.#pending = send;
  }

  want(plan: NodePlan): void {
    const context = { epoch: 1, unconfirmed: new Set<Address>(), revisions };
    this.step({ kind: "wanted", wanted: wantedPlan(plan, context, this.outbox.wanted) });
  }

  connect(): void {
    if (this.#isConnected) this.lose();
    this.#isConnected = true;
    const held = this.held && { planRevision: revisions.planRevisionOf(this.inventory()) };
    const hello: AgentHello = {
      agent: AGENT,
      bootId: "b",
      version: "1",
      capabilities: [],
      links: [],
      epoch: 1,
      ...held,
    };
    this.step({ kind: "hello", hello });
  }

  lose(): void {
    this.#isConnected = false;
    this.#pending = undefined;
    this.step({ kind: "gone" });
  }

  restartController(plan: NodePlan | undefined): void {
    this.#isConnected = false;
    this.#pending = undefined;
    this.outbox = EMPTY_OUTBOX;
    if (plan !== undefined) this.want(plan);
  }

  /** Lets the agent take what lies on the stream; false when nothing does. */
  answer(): boolean {
    const message = this.#pending;
    this.#pending = undefined;
    if (message === undefined) return false;
    if (message.kind === "inventory-wanted") {
      this.step({ kind: "inventory", inventory: this.inventory() });
      return true;
    }
    const { update } = message;
    const { nonce } = update;
    this.step({ kind: "ack", ack: { nonce, step: "received", nacks: this.#take(update) } });
    return true;
  }

  inventory(): Inventory {
    const entries = [...(this.held?.values() ?? [])];
    return new Map(entries.map((one) => [one.name, revisions.revisionOf(one)]));
  }

  isPoison(resource: Resource): boolean {
    if (resource.kind === "lane") return this.#poison.has(`lane ${LANES.indexOf(resource)}`);
    if (resource.kind === "members") {
      const [, address] = resource.name.split("/");
      return this.#poison.has(`${address} members ${resource.members.length}`);
    }
    if (resource.kind !== "vip" || resource.carrier.kind !== "lane") return false;
    const { lane } = resource.carrier;
    const index = LANES.findIndex((one) => one.lane === lane);
    return this.#poison.has(`${resource.address} lane ${index}`);
  }

  #take(update: OutgoingUpdate): readonly Nack[] {
    const base = this.held && revisions.planRevisionOf(this.inventory());
    assert.equal(update.baseRevision, base, "the difference is from what the agent has");
    const next = new Map(this.held);
    const nacks: Nack[] = [];
    for (const name of update.tombstones) {
      assert.ok(next.delete(name), "only what is there is removed");
    }
    for (const { resource, revision } of update.upserts) {
      const { name } = resource;
      if (this.isPoison(resource) || dangles(resource, next)) {
        nacks.push({ name, problem: { reason: "BadField", detail: "no", revision } });
      } else next.set(name, resource);
    }
    for (const resource of next.values()) {
      assert.ok(!dangles(resource, next), `${resource.name} dangles`);
    }
    this.held = next;
    if (nacks.length === 0) {
      assert.equal(revisions.planRevisionOf(this.inventory()), update.newRevision);
    }
    return nacks;
  }
}

function dangles(resource: Resource, among: ReadonlyMap<ResourceName, Resource>): boolean {
  if (resource.kind === "listener") return !among.has(resource.members);
  const carrier = resource.kind === "vip" ? resource.carrier : undefined;
  return carrier?.kind === "lane" && !among.has(carrier.resource);
}

function settle(pair: Pair): void {
  for (let round = 0; pair.answer(); round += 1) assert.ok(round < 100, "it ends");
}

test("the agent ends with what is wanted, whatever happened before", () => {
  fc.assert(
    fc.property(
      fc.array(anyCommand, { maxLength: 30 }),
      anyPlan,
      anyPoison,
      (commands, last, poison) => {
        const pair = new Pair(poison);
        let plan: NodePlan | undefined;
        for (const command of commands) {
          if (command.kind === "want") {
            plan = planOf(command.wishes);
            pair.want(plan);
          } else if (command.kind === "answer") pair.answer();
          else if (command.kind === "connect") pair.connect();
          else if (command.kind === "lose-stream") pair.lose();
          else pair.restartController(plan);
        }
        const before = pair.inventory();
        plan = planOf(last);
        pair.want(plan);
        pair.connect();
        settle(pair);
        judge(pair, plan, before);
        // Nothing more to say: the same again costs nothing, on this stream and on the next.
        const inventory = pair.inventory();
        pair.want(plan);
        assert.equal(pair.answer(), false);
        pair.connect();
        assert.equal(pair.answer(), false);
        assert.deepEqual(pair.inventory(), inventory);
      },
    ),
    { numRuns: 1000 },
  );
});

function judge(pair: Pair, plan: NodePlan, before: Inventory): void {
  const has = pair.inventory();
  for (const [name, resource] of plan.resources) {
    const isTaken = has.get(name) === revisions.revisionOf(resource);
    const isRefusable = pair.isPoison(resource) || dangles(resource, pair.held ?? new Map());
    if (!isRefusable) assert.ok(isTaken, `${name} is there`);
    if (pair.isPoison(resource)) assert.ok(!isTaken, `${name} is not`);
  }
  const retained = new Set<string>(plan.retained);
  for (const name of has.keys()) {
    const isKept = name.startsWith("lane/") || retained.has(name.split("/")[1] ?? "");
    assert.ok(plan.resources.has(name) || isKept, `${name} is gone`);
  }
  for (const [name, revision] of before) {
    if (retained.has(name.split("/")[1] ?? "")) assert.equal(has.get(name), revision);
  }
  assert.equal(
    outboxTarget(pair.outbox)?.withheld.size,
    0,
    "nothing is withheld where few addresses go",
  );
}

// Which write comes next, by what the record of a Service shows and what is wanted of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  FINALIZER,
  FINALIZER_MANAGER,
  type ServiceRecord,
  STATUS_MANAGER,
} from "../../kube/service-record.ts";
import { oursOf, sampleService } from "../../sources/sample-objects.ts";
import { nextWrites, type ServiceWrite } from "./next-write.ts";
import {
  addressOf,
  fateVerdict,
  type Fate,
  leased,
  refused,
  served,
  waiting,
} from "./publish-stage.ts";
import { NOTHING_WANTED, type WantedService } from "./wanted-service.ts";
import { writeRequest, writeSignature } from "./write-request.ts";

const WALL_MS = Date.UTC(2026, 0, 2);
const VIP = addressOf("192.0.2.10");

const BARE: ServiceRecord = {
  namespace: "default",
  name: "web",
  uid: "uid-1",
  resourceVersion: "7",
  generation: 0,
  type: "LoadBalancer",
  isDeleting: false,
  finalizers: [],
  ingress: [],
  conditions: [],
  writers: [],
};

function wanted(fate: Fate, generation = 0): WantedService {
  const claim = oursOf([sampleService({}, { name: "web", uid: "uid-1", generation })]);
  const verdict = fateVerdict(claim, fate);
  const held = verdict.addresses.map(({ address }) => address);
  return { claim: { claim, verdict }, held, owns: held.length > 0 };
}

/** The record after all that is wanted was written, one write after the other. */
function written(fate: Fate, generation = 0): ServiceRecord {
  const held = { ...BARE, finalizers: [FINALIZER] };
  const [write] = nextWrites(held, wanted(fate, generation), WALL_MS);
  assert(write?.kind === "status");
  return {
    ...BARE,
    finalizers: [FINALIZER],
    ingress: write.status.ingress ?? [],
    conditions: write.status.conditions,
    writers: [
      { manager: FINALIZER_MANAGER, parts: ["finalizers"] },
      { manager: STATUS_MANAGER, parts: ["status.loadBalancer", "status.conditions"] },
    ],
  };
}

const HELD: WantedService = { held: [VIP], owns: false };
const OWNED: WantedService = { held: [VIP], owns: true };
const SERVED = written(served());
const FOREIGN = [{ ip: "203.0.113.1" }];

const CASES: readonly {
  readonly name: string;
  readonly record: ServiceRecord;
  readonly wanted: WantedService;
  /** `KIND`, for a status with what is news. */
  readonly next: string | undefined;
}[] = [
  {
    name: "nothing asks, and nothing is ours",
    record: BARE,
    wanted: NOTHING_WANTED,
    next: undefined,
  },
  { name: "an address is leased", record: BARE, wanted: wanted(leased()), next: "hold" },
  {
    name: "an address is proved, and the finalizer is not there",
    record: BARE,
    wanted: wanted(served()),
    next: "hold",
  },
  {
    name: "the finalizer is there",
    record: { ...BARE, finalizers: [FINALIZER] },
    wanted: wanted(served()),
    next: "status addresses",
  },
  {
    name: "it waits and holds nothing",
    record: BARE,
    wanted: wanted(waiting("NoPool")),
    next: "status conditions",
  },
  { name: "all is said", record: SERVED, wanted: wanted(served()), next: undefined },
  {
    name: "another holds it",
    record: SERVED,
    wanted: wanted(served("192.0.2.10", "lb-2")),
    next: undefined,
  },
  {
    name: "another address is proved",
    record: SERVED,
    wanted: wanted(served("192.0.2.11")),
    next: "status addresses",
  },
  {
    name: "the proof is withdrawn",
    record: SERVED,
    wanted: wanted(leased()),
    next: "status addresses",
  },
  {
    name: "it has no members",
    record: SERVED,
    wanted: wanted({ ...served(), memberless: true }),
    next: "status conditions",
  },
  {
    name: "it changed, and was judged anew",
    record: written(served(), 1),
    wanted: wanted(served(), 2),
    next: "status conditions",
  },
  {
    name: "it was judged as it is, and all is said of this very generation",
    record: written(served(), 2),
    wanted: wanted(served(), 2),
    next: undefined,
  },
  {
    name: "it is counted by generations since it was judged last",
    record: written(served()),
    wanted: wanted(served(), 1),
    next: "status conditions",
  },
  {
    name: "it waits for another reason",
    record: written(waiting("NoPool")),
    wanted: wanted(waiting("NoAgents")),
    next: "status conditions",
  },
  {
    name: "it waits for the same in other words",
    record: written(waiting("NoPool", "one")),
    wanted: wanted(waiting("NoPool", "two")),
    next: "status words",
  },
  {
    name: "words about what is well differ",
    record: {
      ...SERVED,
      conditions: SERVED.conditions.map((one) =>
        one.type.endsWith("MembersReady") ? { ...one, message: "old words" } : one,
      ),
    },
    wanted: wanted(served()),
    next: undefined,
  },
  {
    name: "a condition of ours is there that is none any more",
    record: {
      ...SERVED,
      conditions: [
        ...SERVED.conditions,
        {
          type: "fairlead.io/Old",
          status: "True",
          reason: "Old",
          message: "",
          lastTransitionTime: "",
        },
      ],
    },
    wanted: wanted(served()),
    next: "status conditions",
  },
  {
    name: "a hand changed the address",
    record: { ...SERVED, ingress: FOREIGN },
    wanted: wanted(served()),
    next: "status addresses",
  },
  {
    name: "a hand changed how it is reached",
    record: { ...SERVED, ingress: [{ ip: "192.0.2.10", ipMode: "VIP" }] },
    wanted: wanted(served()),
    next: "status addresses",
  },
  {
    name: "a hand gave it an address while it waits",
    record: { ...written(leased()), ingress: FOREIGN },
    wanted: wanted(leased()),
    next: "status addresses",
  },
  {
    name: "it is refused, and another serves it",
    record: {
      ...written(refused("NoPool")),
      ingress: FOREIGN,
      writers: [{ manager: "metallb", parts: ["status.loadBalancer"] }],
    },
    wanted: wanted(refused("NoPool")),
    next: undefined,
  },
  {
    name: "it is refused, and what is said there is ours",
    record: { ...written(refused("NoPool")), ingress: [{ ip: "192.0.2.10" }] },
    wanted: wanted(refused("NoPool")),
    next: "status addresses",
  },
  {
    name: "it is of a type that has no addresses",
    record: { ...SERVED, type: "ClusterIP", ingress: [] },
    wanted: wanted(served()),
    next: undefined,
  },
  {
    name: "it is being deleted and still asks",
    record: { ...BARE, isDeleting: true },
    wanted: wanted(served()),
    next: undefined,
  },
  {
    name: "what is wanted is of another object",
    record: { ...BARE, uid: "uid-2" },
    wanted: wanted(served()),
    next: undefined,
  },
  { name: "its owner is not seen", record: SERVED, wanted: OWNED, next: undefined },
  {
    name: "it asks no more, and agents have the address",
    record: SERVED,
    wanted: HELD,
    next: "clear",
  },
  {
    name: "its status is cleared, and agents have the address",
    record: { ...BARE, finalizers: [FINALIZER] },
    wanted: HELD,
    next: undefined,
  },
  {
    name: "its status is cleared, and nothing is held",
    record: { ...BARE, finalizers: [FINALIZER] },
    wanted: NOTHING_WANTED,
    next: "release",
  },
  {
    name: "it is being deleted, and agents have the address",
    record: { ...SERVED, isDeleting: true },
    wanted: HELD,
    next: undefined,
  },
  {
    name: "it is being deleted, has given its address back, and an agent has another one",
    record: { ...SERVED, isDeleting: true },
    wanted: { ...HELD, held: [addressOf("192.0.2.11")] },
    next: "clear",
  },
  {
    name: "it is being deleted, and nothing is held",
    record: { ...SERVED, isDeleting: true },
    wanted: NOTHING_WANTED,
    next: "release",
  },
  {
    name: "it is being deleted, and others keep it",
    record: { ...BARE, isDeleting: true, finalizers: ["example.com/other"] },
    wanted: NOTHING_WANTED,
    next: undefined,
  },
];

for (const { name, record, wanted: wish, next } of CASES) {
  test(`next write: ${name}`, () => {
    assert.equal(lineOf(nextWrites(record, wish, WALL_MS)[0]), next);
  });
}

test("what is of its status and of its external IPs may each be written while the other is refused", () => {
  const noted = { externalIPs: [VIP], writtenExternalIPs: [VIP] };
  const kinds = (record: ServiceRecord, wish: WantedService): readonly string[] =>
    nextWrites({ ...record, ...noted }, wish, WALL_MS).map(({ kind }) => kind);
  assert.deepEqual(kinds(written(leased()), wanted(served())), ["status", "external"]);
  assert.deepEqual(kinds(SERVED, NOTHING_WANTED), ["external", "clear"]);
  assert.deepEqual(kinds(BARE, wanted(served())), ["hold"], "an address comes after the finalizer");
});

test("a condition keeps its time while its status stays, and gets a new one when that changes", () => {
  const record = written(leased());
  const old = {
    ...record,
    conditions: record.conditions.map((one) => ({
      ...one,
      lastTransitionTime: "2026-01-01T00:00:00Z",
    })),
  };
  const [write] = nextWrites(old, wanted(served()), WALL_MS);
  assert(write?.kind === "status");
  const times = write.status.conditions.map(({ type, lastTransitionTime }) => [
    type,
    lastTransitionTime,
  ]);
  assert.deepEqual(times, [
    ["fairlead.io/AddressAllocated", "2026-01-01T00:00:00Z"],
    ["fairlead.io/Serving", "2026-01-02T00:00:00Z"],
    ["fairlead.io/MembersReady", "2026-01-01T00:00:00Z"],
  ]);
});

test("every condition names the generation that it judges, and none where none is counted", () => {
  const named = (generation: number): readonly unknown[] =>
    written(served(), generation).conditions.map((one) => [
      one.observedGeneration,
      "observedGeneration" in one,
    ]);
  assert.deepEqual(
    named(7),
    [1, 2, 3].map(() => [7, true]),
  );
  assert.deepEqual(
    named(0),
    [1, 2, 3].map(() => [undefined, false]),
  );
});

test("every write carries the uid and the version that it was decided by", () => {
  for (const { record, wanted: wish } of CASES) {
    const [write] = nextWrites(record, wish, WALL_MS);
    if (write === undefined) continue;
    const { body } = writeRequest(write);
    const { metadata } = body as { readonly metadata: Readonly<Record<string, unknown>> };
    assert.equal(metadata["uid"], record.uid);
    assert.equal(metadata["resourceVersion"], record.resourceVersion);
  }
});

test("two writes that say the same are the same, whatever the time and the version", () => {
  const at = (wallMs: number, resourceVersion: string): string => {
    const record = { ...BARE, resourceVersion };
    const [write] = nextWrites(record, wanted(waiting("NoPool")), wallMs);
    assert(write !== undefined);
    return writeSignature(write);
  };
  assert.equal(at(WALL_MS, "7"), at(WALL_MS + 60_000, "8"));
});

function lineOf(write: ServiceWrite | undefined): string | undefined {
  return write?.kind === "status" ? `status ${write.news}` : write?.kind;
}

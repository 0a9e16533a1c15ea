// Properties of the codecs: what was written reads back equal, through real bytes, and no bytes
// whatever make a decoder throw.

import assert from "node:assert";
import { test } from "node:test";
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  type AgentReport,
  type ResourceName,
  type Revision,
  parseAgentName,
  patchMap,
  present,
} from "@fairlead/model";
import {
  anyAddress,
  anyAgent,
  anyHostLink,
  anyReport,
  anyResource,
  anyResourceReport,
  anyRevision,
} from "@fairlead/testkit";
import fc from "fast-check";
import {
  ReportSchema,
  ResourceSchema,
  SyncRequestSchema,
  SyncResponseSchema,
} from "@fairlead/proto";
import { addressFromBytes, addressToBytes } from "./address-bytes.ts";
import { decodeResource, encodeResource } from "./node-plan-codec.ts";
import { decodeReport, encodeReport, isSameReport } from "./report-codec.ts";
import { reportDigest } from "./report-digest.ts";
import { parseResourceName } from "./resource-name.ts";
import { createRevisions } from "./revision.ts";
import {
  decodeFromAgent,
  decodeFromController,
  encodeFromAgent,
  encodeToAgent,
  type FromAgent,
} from "./stream-codec.ts";

const LB1 = present(parseAgentName("lb1"), "a name");

test("an address travels as its bytes", () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      assert.equal(addressFromBytes(addressToBytes(address)), address);
    }),
  );
});

test("a resource reads back equal, with its name and its revision", () => {
  const revisions = createRevisions();
  fc.assert(
    fc.property(anyResource, (resource) => {
      const revision = revisions.revisionOf(resource);
      const bytes = toBinary(ResourceSchema, encodeResource(resource, revision));
      const decoded = decodeResource(fromBinary(ResourceSchema, bytes));
      assert.deepEqual(decoded, { kind: "ok", value: { resource, revision } });
      // A fresh object with the same content: nothing of the revision hangs on identity.
      assert.equal(createRevisions().revisionOf(structuredClone(resource)), revision);
      assert.equal(parseResourceName(resource.name)?.name, resource.name);
    }),
  );
});

test("the order of a plan's entries does not change its revision, any entry does", () => {
  const { planRevisionOf } = createRevisions();
  const entry = fc.tuple(
    anyResource.map((resource) => resource.name),
    anyRevision,
  );
  const entries = fc.uniqueArray(entry, { minLength: 1, selector: ([name]) => name });
  fc.assert(
    fc.property(entries, (plan) => {
      const revision = planRevisionOf(plan);
      assert.equal(planRevisionOf(plan.toReversed()), revision);
      assert.notEqual(planRevisionOf(plan.slice(1)), revision);
    }),
  );
});

test("the revision of a plan that was patched again and again is that of its entries", () => {
  const { planRevisionOf } = createRevisions();
  const name = fc.integer({ min: 0, max: 1200 }).map((i) => `vip/${i}` as ResourceName);
  const patch = fc.array(fc.tuple(name, fc.option(anyRevision, { nil: undefined })));
  fc.assert(
    fc.property(anyRevision, fc.array(patch, { maxLength: 20 }), (first, patches) => {
      let plan: ReadonlyMap<ResourceName, Revision> = new Map(
        Array.from({ length: 1000 }, (_, i) => [`vip/${i}` as ResourceName, first]),
      );
      for (const changes of patches) {
        plan = patchMap(plan, new Map(changes));
        assert.equal(planRevisionOf(plan), planRevisionOf([...plan]));
      }
    }),
  );
});

test("a report reads back equal, whole and as a difference from any other", () => {
  fc.assert(
    fc.property(anyReport, anyReport, (before, after) => {
      const whole = overTheWire(before, undefined, undefined);
      assert.deepEqual(whole, before);
      assert.deepEqual(overTheWire(after, before, whole), after);
      assert.ok(isSameReport(whole, before));
      assert.equal(reportDigest(whole), reportDigest({ ...before, sequence: 7 }));
      assert.equal(reportDigest(before) === reportDigest(after), isSameReport(before, after));
    }),
  );
});

test("an unchanged report has a difference without resources", () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const message = encodeReport({ ...report, sequence: report.sequence + 1 }, report);
      assert.equal(message.resources.length + message.gone.length, 0);
    }),
  );
});

test("what an agent says reads back equal", () => {
  const hello = fc.record({
    agent: anyAgent,
    bootId: fc.uuid(),
    version: fc.constant("0.1.0"),
    capabilities: fc.subarray([
      "vrrp",
      "nginx-stream",
      "ipv6",
      "kernel-datapath",
      "host-addresses",
      "hearing",
    ] as const),
    links: fc.array(anyHostLink, { maxLength: 2 }),
    epoch: fc.nat(),
  });
  const nack = anyResourceReport.map(({ name, revision }) => ({
    name,
    problem: { reason: "ConfigRejected" as const, detail: "no", revision },
  }));
  const message: fc.Arbitrary<FromAgent> = fc.oneof(
    fc.record({
      kind: fc.constant("hello" as const),
      hello,
      reportDigest: fc.option(anyRevision, { nil: undefined }),
    }),
    fc.record({
      kind: fc.constant("inventory" as const),
      inventory: fc
        .array(anyResourceReport)
        .map((all) => new Map(all.map((r) => [r.name, r.revision]))),
    }),
    fc.record({
      kind: fc.constant("ack" as const),
      ack: fc.record({
        nonce: fc.nat(),
        step: fc.constantFrom("received", "validated", "applied", "serving"),
        nacks: fc.array(nack, { maxLength: 3 }),
      }),
    }),
    fc.constant({ kind: "heartbeat" as const }),
    fc.constant({ kind: "leaving" as const }),
  );
  fc.assert(
    fc.property(message, (said) => {
      const bytes = toBinary(SyncRequestSchema, encodeFromAgent(said));
      const heard = decodeFromAgent(fromBinary(SyncRequestSchema, bytes));
      assert.deepEqual(heard, { kind: "ok", value: said });
    }),
  );
});

test("a heartbeat of the controller reads back equal; what one of a later release asks is ignored", () => {
  for (const wish of [undefined, "answer", "announcement"] as const) {
    const bytes = toBinary(SyncResponseSchema, encodeToAgent({ kind: "heartbeat", wish }));
    assert.deepEqual(decodeFromController(fromBinary(SyncResponseSchema, bytes)), {
      kind: "ok",
      value: { kind: "heartbeat", wish },
    });
  }
  // Field 4, the heartbeat, with 99 in its field 1.
  const later = fromBinary(SyncResponseSchema, Uint8Array.of(0x22, 2, 0x08, 99));
  assert.deepEqual(decodeFromController(later), {
    kind: "ok",
    value: { kind: "heartbeat", wish: undefined },
  });
});

test("a welcome reads back equal", () => {
  const welcome = fc.record({
    epoch: fc.nat(),
    version: fc.constant("0.1.0"),
    heartbeatIntervalMs: fc.integer({ min: 100, max: 600_000 }),
    reportKnown: fc.boolean(),
  });
  fc.assert(
    fc.property(welcome, (sent) => {
      const message = { kind: "welcome" as const, welcome: sent };
      const bytes = toBinary(SyncResponseSchema, encodeToAgent(message));
      const heard = decodeFromController(fromBinary(SyncResponseSchema, bytes));
      assert.deepEqual(heard, { kind: "ok", value: message });
    }),
  );
});

test("an update reads back equal", () => {
  const revisions = createRevisions();
  const update = fc.record({
    nonce: fc.nat(),
    epoch: fc.nat(),
    baseRevision: fc.option(anyRevision, { nil: undefined }),
    newRevision: anyRevision,
    upserts: fc.array(
      anyResource.map((resource) => ({ resource, revision: revisions.revisionOf(resource) })),
      { maxLength: 4 },
    ),
    tombstones: fc.array(
      anyResource.map((resource) => resource.name),
      { maxLength: 4 },
    ),
    confirmed: fc.boolean(),
  });
  fc.assert(
    fc.property(update, (sent) => {
      const bytes = toBinary(SyncResponseSchema, encodeToAgent({ kind: "update", update: sent }));
      const heard = decodeFromController(fromBinary(SyncResponseSchema, bytes));
      const expected = { kind: "update", update: { ...sent, unreadable: [] } };
      assert.deepEqual(heard, { kind: "ok", value: expected });
    }),
  );
});

test("no bytes make a decoder throw", () => {
  const revisions = createRevisions();
  const valid = anyResource.map((resource) =>
    toBinary(
      SyncResponseSchema,
      encodeToAgent({
        kind: "update",
        update: {
          nonce: 1,
          epoch: 1,
          baseRevision: undefined,
          newRevision: revisions.revisionOf(resource),
          upserts: [{ resource, revision: revisions.revisionOf(resource) }],
          tombstones: [],
          confirmed: false,
        },
      }),
    ),
  );
  const report = anyReport.map((one) =>
    toBinary(SyncRequestSchema, encodeFromAgent({ kind: "report", report: encodeReport(one) })),
  );
  fc.assert(
    fc.property(fc.oneof(damaged(valid), damaged(report), fc.uint8Array()), (bytes) => {
      for (const request of parsed(SyncRequestSchema, bytes)) {
        const decoded = decodeFromAgent(request);
        if (decoded.kind === "ok" && decoded.value.kind === "report") {
          decodeReport(LB1, decoded.value.report, undefined);
        }
      }
      for (const response of parsed(SyncResponseSchema, bytes)) decodeFromController(response);
    }),
    { numRuns: 2000 },
  );
});

/** Some valid bytes with a few of them changed, so that most of the structure still parses. */
function damaged(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  return fc.tuple(bytes, changes).map(([original, list]) => {
    const copy = Uint8Array.from(original);
    for (const [at, value] of list) copy[at % copy.length] = value;
    return copy;
  });
}

/** The message, or none where the bytes are not one: gRPC ends the call there. */
function parsed<M extends DescMessage>(schema: M, bytes: Uint8Array): readonly MessageShape<M>[] {
  try {
    return [fromBinary(schema, bytes)];
  } catch {
    return [];
  }
}

/** Sends a report as bytes and folds it, `known` being what each side has. */
function overTheWire(
  report: AgentReport,
  known: AgentReport | undefined,
  received: AgentReport | undefined,
): AgentReport {
  const bytes = toBinary(ReportSchema, encodeReport(report, known));
  const decoded = decodeReport(LB1, fromBinary(ReportSchema, bytes), received);
  if (decoded.kind === "refused") assert.fail(decoded.detail);
  assert.deepEqual(decoded.value.leftOut, []);
  return decoded.value.report;
}

// What the condition Serving names: the addresses that are served, and none that left the status.

import assert from "node:assert/strict";
import { test } from "node:test";

import { present } from "@fairlead/model";

import { FINALIZER, type ServiceRecord } from "../../kube/service-record.ts";
import { oursOf, sampleService } from "../../sources/sample-objects.ts";
import { nextWrites, type WrittenStatus } from "./next-write.ts";
import { addressOf, fateVerdict, served } from "./publish-stage.ts";
import type { WantedService } from "./wanted-service.ts";

const WALL_MS = Date.UTC(2026, 0, 2);
const ALL = ["192.0.2.10", "192.0.2.11", "192.0.2.12"];

/** One address of each of three hosts, of which these stand in the status. */
function wanted(published: readonly string[]): WantedService {
  const claim = oursOf([sampleService({}, { name: "web", uid: "uid-1" })]);
  const addresses = ALL.map((text) => ({
    address: addressOf(text),
    published: published.includes(text),
  }));
  const verdict = { ...fateVerdict(claim, served()), addresses };
  return { claim: { claim, verdict }, held: ALL.map(addressOf), owns: true };
}

function bare(type: string): ServiceRecord {
  const object = { namespace: "default", name: "web", uid: "uid-1", resourceVersion: "7" };
  const parts = { ingress: [], conditions: [], writers: [] };
  return { ...object, ...parts, generation: 0, type, isDeleting: false, finalizers: [FINALIZER] };
}

/** What is written of the status; undefined: nothing. */
function written(record: ServiceRecord, wish: WantedService): WrittenStatus | undefined {
  const [write] = nextWrites(record, wish, WALL_MS);
  return write?.kind === "status" ? write.status : undefined;
}

function words(status: WrittenStatus | undefined): string | undefined {
  return status?.conditions.find(({ type }) => type === "fairlead.io/Serving")?.message;
}

for (const type of ["LoadBalancer", "ClusterIP"]) {
  test(`an address that leaves the status leaves the words of a ${type} too, by one write`, () => {
    const first = present(written(bare(type), wanted(ALL)), "the status is written");
    assert.equal(words(first), "192.0.2.10 and 192.0.2.11 and 192.0.2.12 serve 80/TCP.");
    const record = { ...bare(type), ...first };
    assert.equal(written(record, wanted(ALL)), undefined, "nothing changed");
    const without = wanted(["192.0.2.10", "192.0.2.12"]);
    const second = present(written(record, without), "the status is written again");
    assert.equal(words(second), "192.0.2.10 and 192.0.2.12 serve 80/TCP.");
    assert.equal(written({ ...record, ...second }, without), undefined, "nothing changed since");
  });
}

// What is wanted of Services, from one publication to the next.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Claim, LeasedAddress } from "@fairlead/model";

import type { Publication } from "../../ports.ts";
import { oursOf, sampleService } from "../../sources/sample-objects.ts";
import { addressOf, fateVerdict, leased, served } from "./publish-stage.ts";
import { NOTHING_WANTED, WantedServices } from "./wanted-service.ts";

type Said = Pick<Publication, "claims" | "verdicts" | "leases">;

const CLAIM = oursOf([sampleService({}, { name: "web", uid: "uid-1" })]);
const FIRST = addressOf("192.0.2.10");
const SECOND = addressOf("192.0.2.11");

function rowOf(address: LeasedAddress["address"], owners: readonly Claim[]): LeasedAddress {
  return {
    address,
    pool: "default" as LeasedAddress["pool"],
    owners: owners.map(({ id: claim, uid }) => ({ claim, uid, ports: [] })),
    lastClaim: CLAIM.id,
    placement: { kind: "unplaced" },
    sentTo: [],
    state: owners.length > 0 ? { kind: "held" } : { kind: "draining", sinceMs: 0 },
    published: false,
    sinceMs: 0,
  };
}

function saidOf(rows: readonly LeasedAddress[], fate = leased()): Said {
  return {
    claims: new Map([[CLAIM.id, CLAIM]]),
    verdicts: new Map([[CLAIM.id, fateVerdict(CLAIM, fate)]]),
    leases: new Map(rows.map((row) => [row.address, row])),
  };
}

test("what is held follows the rows, address by address", () => {
  const wanted = new WantedServices();
  const first = rowOf(FIRST, [CLAIM]);
  const said = saidOf([first, rowOf(SECOND, [CLAIM])]);
  assert.deepEqual([...wanted.follow(said)], [CLAIM.id]);
  assert.deepEqual(wanted.get(CLAIM.id).held, [FIRST, SECOND]);
  assert.equal(wanted.get(CLAIM.id).owns, true);
  const left = { ...said, leases: new Map([[SECOND, rowOf(SECOND, [])]]) };
  assert.deepEqual([...wanted.follow(left)], [CLAIM.id]);
  assert.deepEqual(wanted.get(CLAIM.id).held, [SECOND]);
  assert.equal(wanted.get(CLAIM.id).owns, false);
  wanted.follow({ claims: new Map(), verdicts: new Map(), leases: new Map() });
  assert.equal(wanted.get(CLAIM.id), NOTHING_WANTED);
});

test("a row that says something else of the same holders is no news, a verdict is", () => {
  const wanted = new WantedServices();
  const row = rowOf(FIRST, [CLAIM]);
  const said = saidOf([row]);
  wanted.follow(said);
  const published = { ...said, leases: new Map([[FIRST, { ...row, published: true }]]) };
  assert.deepEqual([...wanted.follow(published)], []);
  assert.deepEqual(wanted.get(CLAIM.id).held, [FIRST]);
  const { verdicts } = saidOf([row], served());
  assert.deepEqual([...wanted.follow({ ...published, verdicts })], [CLAIM.id]);
});

// Rows of the store as JSON and back. What is read is parsed strictly into the model's types: a
// row that a disk or a hand has changed is named and refused, never half believed.

import {
  type Intent,
  type LaneId,
  type Lane,
  type LeaseOwner,
  type LeasedAddress,
  LANE_AGENTS_MAX,
  ROUTER_ID_MAX,
  laneId,
  parseAgentName,
  parseClaimId,
  parseDeviceName,
  parsePoolName,
} from "@fairlead/model";
import { escapeBounded } from "@fairlead/runtime";
import { parseLaneId } from "@fairlead/wire";
import { z } from "zod";

import { address, type FieldsOf, text, timeMs } from "./row-fields.ts";
import { makeStoreError } from "./store-error.ts";

const agent = text(parseAgentName, "an agent's name");
const claim = text(parseClaimId, "a claim's id");
const pool = text(parsePoolName, "a pool's name");
const device = text(parseDeviceName, "a device's name");
const lane: z.ZodType<LaneId> = text(readLaneId, "a lane's id");

const OWNER_FIELDS = {
  claim,
  uid: z.string(),
  ports: z.array(
    z.strictObject({ protocol: z.enum(["tcp", "udp"]), port: z.int().min(1).max(65_535) }),
  ),
  sinceMs: timeMs.exactOptional(),
} satisfies FieldsOf<LeaseOwner>;

const LEASE_FIELDS = {
  address,
  pool,
  owners: z.array(z.strictObject(OWNER_FIELDS)),
  sharingKey: z.string().exactOptional(),
  lastClaim: claim,
  placement: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("unplaced") }),
    z.strictObject({ kind: z.literal("lane"), lane }),
    z.strictObject({ kind: z.literal("host"), agent, link: device }),
  ]),
  sentTo: z.array(agent),
  state: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("held") }),
    z.strictObject({ kind: z.literal("draining"), sinceMs: timeMs }),
    z.strictObject({ kind: z.literal("quarantined"), untilMs: timeMs }),
  ]),
  published: z.boolean(),
  sinceMs: timeMs,
} satisfies FieldsOf<LeasedAddress>;

const LANE_FIELDS = {
  id: lane,
  segment: z.string(),
  routerId: z.int().min(1).max(ROUTER_ID_MAX),
  order: z.array(agent).min(1).max(LANE_AGENTS_MAX),
  peers: z.array(z.strictObject({ agent, address })).max(LANE_AGENTS_MAX).exactOptional(),
  holder: agent.exactOptional(),
  yielding: z
    .array(z.strictObject({ agent, sinceMs: timeMs }))
    .max(LANE_AGENTS_MAX)
    .exactOptional(),
  settled: z.boolean(),
} satisfies FieldsOf<Lane>;

const LEASE: z.ZodType<LeasedAddress> = z.strictObject(LEASE_FIELDS);

const LANE: z.ZodType<Lane> = z
  .strictObject(LANE_FIELDS)
  .refine((row) => row.id === laneId(row.segment, row.routerId), "the id is of another lane")
  .refine((row) => new Set(row.order).size === row.order.length, "the order names an agent twice");

const base = { id: z.string().min(1), sinceMs: timeMs };
const INTENT: z.ZodType<Intent> = z.discriminatedUnion("kind", [
  z.strictObject({ ...base, kind: z.literal("move"), lane, to: agent }),
  z.strictObject({ ...base, kind: z.literal("drain"), agent }),
  z.strictObject({ ...base, kind: z.literal("rebalance") }),
  z.strictObject({ ...base, kind: z.literal("freeze") }),
  z.strictObject({ ...base, kind: z.literal("confirm"), source: z.string() }),
  z.strictObject({ ...base, kind: z.literal("forget"), agent }),
  z.strictObject({ ...base, kind: z.literal("release"), address }),
  z.strictObject({
    ...base,
    kind: z.literal("register"),
    uuid: z.uuid(),
    pool,
    url: z.string(),
    class: z.string(),
    renewMs: z.number().positive(),
    claim,
    family: z.enum(["ipv4", "ipv6"]),
    wish: address.exactOptional(),
    address: address.exactOptional(),
    ending: z.literal(true).exactOptional(),
  }),
]);

/** A row as it stands in its table: the key's column and the JSON. */
export interface StoredRow {
  readonly key: unknown;
  readonly row: unknown;
}

/** Reads a lease. Throws EdgeError CORRUPT that names the row. */
export function readLease(stored: StoredRow): LeasedAddress {
  return readRow("lease", stored, LEASE, (row) => row.address);
}

/** Reads a lane. Throws EdgeError CORRUPT that names the row. */
export function readLane(stored: StoredRow): Lane {
  return readRow("lane", stored, LANE, (row) => row.id);
}

/** Reads an intent. Throws EdgeError CORRUPT that names the row. */
export function readIntent(stored: StoredRow): Intent {
  return readRow("intent", stored, INTENT, (row) => row.id);
}

const KEY_CHARACTERS_MAX = 80;
const PROBLEM_CHARACTERS_MAX = 200;

/**
 * Reads a row of any kind. Throws EdgeError CORRUPT that names it.
 * @param kind the table's word for a row, for people.
 */
export function readRow<T>(
  kind: string,
  stored: StoredRow,
  schema: z.ZodType<T>,
  keyOf: (row: T) => string,
): T {
  const damaged = (problem: string): Error => {
    const name = escapeBounded(String(stored.key), KEY_CHARACTERS_MAX);
    const why = escapeBounded(problem, PROBLEM_CHARACTERS_MAX);
    return makeStoreError({ code: "CORRUPT", message: `damaged row of ${kind} ${name}: ${why}` });
  };
  let value: unknown;
  try {
    value = JSON.parse(String(stored.row));
  } catch {
    throw damaged("it is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw damaged(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unreadable"}`);
  }
  if (keyOf(parsed.data) !== stored.key) throw damaged(`it holds ${keyOf(parsed.data)}`);
  return parsed.data;
}

function readLaneId(written: string): LaneId | undefined {
  return parseLaneId(written)?.lane;
}

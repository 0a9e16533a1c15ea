// Rows of the IPAM service as JSON and back, parsed as strictly as those of leases: a row that a
// disk or a hand has changed is named and refused.

import { type AddressRange, isLabel, parseRange, rangeText } from "@fairlead/model";
import { z } from "zod";

import {
  type IpamClass,
  type Netblock,
  OWNER_CHARACTERS_MAX,
  type Registration,
  type Uuid,
  parseUuid,
} from "../ipam/ipam-model.ts";
import { address, type FieldsOf, text, timeMs } from "./row-fields.ts";
import { type StoredRow, readRow } from "./rows.ts";

const uuid: z.ZodType<Uuid> = text(parseUuid, "a uuid");
const range = z.string().transform((written, context): AddressRange => {
  const parsed = parseRange(written);
  if (parsed.kind === "ok" && rangeText(parsed.value) === written) return parsed.value;
  context.addIssue({ code: "custom", message: "not a range" });
  return z.NEVER;
});

const CLASS: z.ZodType<IpamClass> = z.strictObject({
  uuid,
  name: z.string().refine(isLabel, "not a label"),
  createdMs: timeMs,
  modifiedMs: timeMs,
} satisfies FieldsOf<IpamClass>);

const NETBLOCK: z.ZodType<Netblock> = z.strictObject({
  uuid,
  class: uuid,
  range,
  createdMs: timeMs,
  modifiedMs: timeMs,
} satisfies FieldsOf<Netblock>);

const REGISTRATION: z.ZodType<Registration> = z.strictObject({
  uuid,
  class: uuid,
  address,
  owner: z.string().max(OWNER_CHARACTERS_MAX).exactOptional(),
  createdMs: timeMs,
  renewedMs: timeMs,
} satisfies FieldsOf<Registration>);

/** Reads a class. Throws EdgeError CORRUPT that names the row. */
export function readClass(stored: StoredRow): IpamClass {
  return readRow("class", stored, CLASS, (row) => row.uuid);
}

/** Reads a netblock. Throws EdgeError CORRUPT that names the row. */
export function readNetblock(stored: StoredRow): Netblock {
  return readRow("netblock", stored, NETBLOCK, (row) => row.uuid);
}

/** Reads a registration. Throws EdgeError CORRUPT that names the row. */
export function readRegistration(stored: StoredRow): Registration {
  return readRow("registration", stored, REGISTRATION, (row) => row.uuid);
}

/** Writes a netblock; its range is text in the row. */
export function netblockJson(netblock: Netblock): string {
  return JSON.stringify({ ...netblock, range: rangeText(netblock.range) });
}

// What clients of the IPAM service may send, field by field, and how its rows read to them. Times
// are ISO 8601 in UTC; a range is a CIDR, first-last or one address.

import {
  type Address,
  type AddressRange,
  familyOf,
  isLabel,
  parseAddress,
  parseRange,
  rangeSize,
  rangeText,
} from "@fairlead/model";
import { z } from "zod";

import {
  type IpamClass,
  type Netblock,
  OWNER_CHARACTERS_MAX,
  type Registration,
  type Uuid,
  parseUuid,
} from "../../ipam/ipam-model.ts";
import type { IpamService } from "../../ipam/ipam-service.ts";
import type { RegisterWish } from "../../ipam/register.ts";
import { quote } from "../../sources/quote.ts";

/** Uuids of one renewal at most. */
const RENEWALS_MAX = 10_000;
const TEXT_CHARACTERS_MAX = 100;

const shortText = z.string().max(TEXT_CHARACTERS_MAX);

const uuid = shortText
  .transform((text, context): Uuid => {
    const value = parseUuid(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: `${quote(text)} is no uuid` });
    return z.NEVER;
  })
  .meta({ format: "uuid" });

const className = shortText.transform((text, context): string => {
  if (isLabel(text) && parseUuid(text) === undefined) return text;
  const rule = "expected lower-case letters, digits and dashes, at most 63, and no uuid";
  context.addIssue({ code: "custom", message: `${quote(text)}: ${rule}` });
  return z.NEVER;
});

const range = shortText.transform((text, context): AddressRange => {
  const parsed = parseRange(text);
  if (parsed.kind === "ok") return parsed.value;
  context.addIssue({ code: "custom", message: `${quote(text)}: ${parsed.problem}` });
  return z.NEVER;
});

const address = shortText.transform((text, context): Address => {
  const value = parseAddress(text);
  if (value !== undefined) return value;
  context.addIssue({ code: "custom", message: `${quote(text)} is no address` });
  return z.NEVER;
});

const owner = z
  .string()
  .min(1)
  .max(OWNER_CHARACTERS_MAX)
  .refine((text) => !/\p{C}/u.test(text), "holds characters that cannot be printed");

/** A class's uuid or name. */
const reference = shortText.transform((text) => parseUuid(text) ?? text);

/** POST of a class. */
export const newClass: z.ZodType<{ readonly uuid?: Uuid; readonly name: string }> = z.strictObject({
  uuid: uuid.exactOptional(),
  name: className,
});
/** PUT of a class. */
export const changedClass: z.ZodType<{ readonly name: string }> = z.strictObject({
  name: className,
});
/** POST of a netblock. */
export const newNetblock: z.ZodType<{
  readonly uuid?: Uuid;
  readonly class: string;
  readonly range: AddressRange;
}> = z.strictObject({
  uuid: uuid.exactOptional(),
  class: reference,
  range,
});
/** PUT of a netblock. */
export const changedNetblock: z.ZodType<{ readonly range: AddressRange }> = z.strictObject({
  range,
});
/** POST of a registration. */
export const newRegistration: z.ZodType<Omit<RegisterWish, "uuid"> & { readonly uuid?: Uuid }> = z
  .strictObject({
    uuid: uuid.exactOptional(),
    class: reference,
    address: address.exactOptional(),
    family: z.enum(["ipv4", "ipv6"]).exactOptional(),
    owner: owner.exactOptional(),
  })
  .refine(
    ({ address: wished, family }) =>
      wished === undefined || family === undefined || familyOf(wished) === family,
    "address and family ask for different things",
  );
/** POST of renewals. */
export const renewals: z.ZodType<{ readonly uuids: readonly Uuid[] }> = z.strictObject({
  uuids: z.array(uuid).max(RENEWALS_MAX),
});
/** A query for what is of one class, or of all. */
export const ofClass: z.ZodType<{ readonly class?: string }> = z.strictObject({
  class: reference.exactOptional(),
});
/** A query for who holds an address. */
export const ofAddress: z.ZodType<{ readonly class?: string; readonly address: Address }> =
  z.strictObject({ class: reference.exactOptional(), address });
/** A body or a query of nothing. */
export const nothing: z.ZodType<object> = z.strictObject({});

/** A class as it is shown. */
export function showClass({ uuid: id, name, createdMs, modifiedMs }: IpamClass): object {
  return { uuid: id, name, created: time(createdMs), modified: time(modifiedMs) };
}

/** A netblock as it is shown. `held`: how many of its addresses somebody holds. */
export function showNetblock(netblock: Netblock, held: number): object {
  const { uuid: id, class: of, range: addresses, createdMs, modifiedMs } = netblock;
  return {
    uuid: id,
    class: of,
    range: rangeText(addresses),
    // A text: a /64 has more than a number in JSON can say.
    size: String(rangeSize(addresses)),
    held,
    created: time(createdMs),
    modified: time(modifiedMs),
  };
}

/** A registration as it is shown. */
export function showRegistration(service: IpamService, registration: Registration): object {
  const { uuid: id, class: of, address: held, owner: name, createdMs, renewedMs } = registration;
  const { expiresMs, takenBackMs } = service.timesOf(registration);
  return {
    uuid: id,
    class: of,
    address: held,
    ...(name === undefined ? {} : { owner: name }),
    created: time(createdMs),
    renewed: time(renewedMs),
    expires: time(expiresMs),
    takenBack: time(takenBackMs),
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

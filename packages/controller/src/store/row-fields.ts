// Schemas of fields that rows of leases and of the IPAM service have in common.

import { type Address, parseAddress } from "@fairlead/model";
import { z } from "zod";

/** Every field of a row has its schema: one that is forgotten would make stored rows unreadable. */
export type FieldsOf<Row> = Record<keyof Row, z.ZodType>;

/** Makes a schema of a model parser; the text must be the canonical form of what it says. */
export function text<T extends string>(
  parse: (written: string) => T | undefined,
  what: string,
): z.ZodType<T> {
  return z.string().transform((written, context): T => {
    const value = parse(written);
    if (value === written) return value;
    context.addIssue({ code: "custom", message: `not ${what}` });
    return z.NEVER;
  });
}

/** An address in its canonical form. */
export const address: z.ZodType<Address> = text(parseAddress, "an address");

/** Epoch ms. */
export const timeMs: z.ZodType<number> = z.number().nonnegative();

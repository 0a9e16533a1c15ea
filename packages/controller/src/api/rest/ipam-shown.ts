// What the IPAM service answers with, as schemas: the description of the interface is made from
// them, and answers are held against them in tests. How rows come to look so stands in ipam-fields.

import { z } from "zod";

import { IPAM_REASONS } from "../../ipam/ipam-refusal.ts";
import { REQUEST_CODES } from "./problem.ts";

const uuid = z.string().meta({ format: "uuid" });
const address = z.string().meta({ description: "An IPv4 or IPv6 address in its canonical form." });
const time = z.string().meta({ format: "date-time" });
const owner = z.string().meta({ description: "Who it is, for people." });

/** A class. */
export const shownClass: z.ZodType = z.strictObject({
  uuid,
  name: z.string(),
  created: time,
  modified: time,
});

/** A netblock. */
export const shownNetblock: z.ZodType = z.strictObject({
  uuid,
  class: uuid,
  range: z.string().meta({ description: "first-last, or one address." }),
  size: z.string().regex(/^\d+$/u).meta({ description: "Addresses, in decimal: a text." }),
  held: z.int().nonnegative().meta({ description: "How many of them somebody holds." }),
  created: time,
  modified: time,
});

/** A registration. */
export const shownRegistration: z.ZodType = z.strictObject({
  uuid,
  class: uuid,
  address,
  owner: owner.exactOptional(),
  created: time,
  renewed: time,
  expires: time.meta({ description: "When it expires unless it is renewed." }),
  takenBack: time.meta({ description: "When its address is taken back then." }),
});

/** The dump. */
export const shownAddresses: z.ZodType = z.strictObject({
  addresses: z.record(z.string(), address).meta({ description: "From uuid to address." }),
});

/** An error, RFC 9457. */
export const shownProblem: z.ZodType = z.strictObject({
  type: z.string(),
  title: z.string().meta({ description: "What happened." }),
  status: z.int(),
  detail: z.string().meta({ description: "Why, with the value." }),
  todo: z.string().meta({ description: "What to do." }),
  code: z.enum([...Object.keys(IPAM_REASONS), ...REQUEST_CODES]),
  holder: z
    .strictObject({ uuid, address: address.exactOptional(), owner: owner.exactOptional() })
    .exactOptional()
    .meta({ description: "Whose what is asked for is already." }),
});

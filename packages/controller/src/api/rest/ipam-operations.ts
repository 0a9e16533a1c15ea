// Every route of the IPAM service in words: what it does, what it reads and what it answers with
// when it does it. What it answers with when it does not is the same for all.

import type { z } from "zod";

import {
  changedClass,
  changedNetblock,
  newClass,
  newNetblock,
  newRegistration,
  ofAddress,
  ofClass,
  renewals,
} from "./ipam-fields.ts";
import type { Method } from "./route.ts";

/** The names of what is shown; see SHOWN in openapi.ts. */
export type ShownName = "Class" | "Netblock" | "Registration" | "Addresses";

/** What an operation answers with. `none`: nothing but its status. */
export type Shown =
  | { readonly kind: "none" }
  | { readonly kind: "one"; readonly of: ShownName }
  /** Lists by their fields, each of what is shown, or of uuids. */
  | { readonly kind: "lists"; readonly fields: Readonly<Record<string, ShownName | "uuid">> };

/** One route in words. */
export interface Operation {
  /** A sentence without its end. */
  readonly summary: string;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly statuses: readonly (200 | 201 | 204)[];
  readonly answer: Shown;
}

/** A method and a path, as routes have them. */
export type OperationKey = `${Method} /${string}`;

/** All of them. */
export const IPAM_OPERATIONS: Readonly<Record<OperationKey, Operation>> = {
  "GET /ipam/v1/classes": reads("All classes", lists({ classes: "Class" })),
  "POST /ipam/v1/classes": makes("Makes a class", newClass, "Class"),
  "GET /ipam/v1/classes/:class": reads("One class", one("Class")),
  "PUT /ipam/v1/classes/:class": changes("Gives a class another name", changedClass, "Class"),
  "DELETE /ipam/v1/classes/:class": removes("Takes away a class that nothing is in"),
  "GET /ipam/v1/netblocks": reads(
    "Netblocks of all classes or of one",
    lists({ netblocks: "Netblock" }),
    ofClass,
  ),
  "POST /ipam/v1/netblocks": makes("Makes a netblock", newNetblock, "Netblock"),
  "GET /ipam/v1/netblocks/:uuid": reads("One netblock", one("Netblock")),
  "PUT /ipam/v1/netblocks/:uuid": changes(
    "Gives a netblock another range, in which every address that is held still lies",
    changedNetblock,
    "Netblock",
  ),
  "DELETE /ipam/v1/netblocks/:uuid": removes("Takes away a netblock of which no address is held"),
  "GET /ipam/v1/addresses": reads("Who has which address", one("Addresses"), ofClass),
  "GET /ipam/v1/registrations": reads(
    "Who holds an address, at most one in each class",
    lists({ registrations: "Registration" }),
    ofAddress,
  ),
  "GET /ipam/v1/registrations/:uuid": reads("One registration", one("Registration")),
  "POST /ipam/v1/registrations": makes("Registers", newRegistration, "Registration"),
  "DELETE /ipam/v1/registrations/:uuid": removes("Releases"),
  "POST /ipam/v1/registrations/:uuid/renew": reads("Renews one", one("Registration")),
  "POST /ipam/v1/renew": {
    summary: "Renews up to 10 000; says which were renewed and which are unknown",
    body: renewals,
    statuses: [200],
    answer: lists({ renewed: "Registration", unknown: "uuid" }),
  },
};

function one(of: ShownName): Shown {
  return { kind: "one", of };
}

function lists(fields: Readonly<Record<string, ShownName | "uuid">>): Shown {
  return { kind: "lists", fields };
}

function reads(summary: string, answer: Shown, query?: z.ZodType): Operation {
  return { summary, statuses: [200], answer, ...(query === undefined ? {} : { query }) };
}

/** What is there already as asked for is answered with 200. */
function makes(summary: string, body: z.ZodType, of: ShownName): Operation {
  return { summary, body, statuses: [201, 200], answer: one(of) };
}

function changes(summary: string, body: z.ZodType, of: ShownName): Operation {
  return { summary, body, statuses: [200], answer: one(of) };
}

function removes(summary: string): Operation {
  return { summary, statuses: [204], answer: { kind: "none" } };
}

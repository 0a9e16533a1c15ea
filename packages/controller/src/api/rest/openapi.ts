// The description of REST as OpenAPI 3.1, made of the operations and of the schemas that requests
// are read by. Pure. It is served, and stands in docs/reference for whoever has no controller.

import { assertNever } from "@fairlead/model";
import { z } from "zod";

import {
  IPAM_OPERATIONS,
  type Operation,
  type OperationKey,
  type Shown,
  type ShownName,
} from "./ipam-operations.ts";
import {
  shownAddresses,
  shownClass,
  shownNetblock,
  shownProblem,
  shownRegistration,
} from "./ipam-shown.ts";
import { PROBLEM_TYPE } from "./problem.ts";
import type { Route } from "./route.ts";

/** A part of the document: what JSON can say. */
export type Part = Readonly<Record<string, unknown>>;

const JSON_TYPE = "application/json";

const SHOWN: Readonly<Record<ShownName | "Problem", z.ZodType>> = {
  Class: shownClass,
  Netblock: shownNetblock,
  Registration: shownRegistration,
  Addresses: shownAddresses,
  Problem: shownProblem,
};

/** Names of paths: what may stand for them. */
const PATH_NAMES: Readonly<Record<string, Part>> = {
  class: { description: "The class's uuid or name.", schema: { type: "string" } },
  uuid: { description: "Its uuid.", schema: { type: "string", format: "uuid" } },
};

/** The whole document. */
export function describeRest(): Part {
  const paths: Record<string, Record<string, Part>> = {};
  for (const [key, operation] of Object.entries(IPAM_OPERATIONS)) {
    const [method = "", path = ""] = key.split(" ");
    const at = path.replaceAll(/:(\w+)/gu, "{$1}");
    paths[at] = { ...paths[at], [method.toLowerCase()]: describe(key, operation) };
  }
  const shown = Object.entries(SHOWN).map(([name, schema]) => [name, schemaOf(schema)] as const);
  return {
    openapi: "3.1.0",
    info: {
      title: "Fairlead",
      version: "1",
      description:
        "The IPAM service of a Fairlead controller. docs/reference/ipam.md tells how to use it.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths,
    components: {
      schemas: Object.fromEntries(shown),
      responses: {
        Problem: {
          description: "Why it was not done. With 503 the same may be sent again later.",
          content: { [PROBLEM_TYPE]: { schema: reference("schemas/Problem") } },
        },
      },
    },
  };
}

/** The route that serves the document. */
export function openapiRoute(): Route {
  const body = describeRest();
  return {
    method: "GET",
    path: "/openapi.json",
    handle: () => ({ kind: "reply", status: 200, body }),
  };
}

function describe(key: string, operation: Operation): Part {
  const { summary, query, body, statuses, answer } = operation;
  const parameters = [...pathParameters(key as OperationKey), ...queryParameters(query)];
  const content = answer.kind === "none" ? {} : { content: jsonOf(answerSchema(answer)) };
  const responses = statuses.map((status) => {
    return [String(status), { description: STATUS_TEXTS[status], ...content }] as const;
  });
  return {
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: jsonOf(schemaOf(body)) } }),
    responses: { ...Object.fromEntries(responses), default: reference("responses/Problem") },
  };
}

const STATUS_TEXTS: Readonly<Record<Operation["statuses"][number], string>> = {
  200: "It is so, durably.",
  201: "It was made, durably.",
  204: "It is gone, durably.",
};

function jsonOf(schema: Part): Part {
  return { [JSON_TYPE]: { schema } };
}

function pathParameters(key: OperationKey): readonly Part[] {
  return Array.from(key.matchAll(/:(\w+)/gu), ([, name = ""]) => {
    return { name, in: "path", required: true, ...PATH_NAMES[name] };
  });
}

function queryParameters(query: z.ZodType | undefined): readonly Part[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: "input" });
  return Object.entries(properties).map(([name, schema]) => {
    return { name, in: "query", required: required.includes(name), schema };
  });
}

function answerSchema(answer: Exclude<Shown, { readonly kind: "none" }>): Part {
  switch (answer.kind) {
    case "one":
      return reference(`schemas/${answer.of}`);
    case "lists": {
      const fields = Object.entries(answer.fields).map(([field, of]) => {
        const items = of === "uuid" ? PATH_NAMES["uuid"]?.["schema"] : reference(`schemas/${of}`);
        return [field, { type: "array", items }] as const;
      });
      return {
        type: "object",
        properties: Object.fromEntries(fields),
        required: Object.keys(answer.fields),
        additionalProperties: false,
      };
    }
    default:
      return assertNever(answer, "an answer of no kind");
  }
}

/** What clients send or get, without the dialect, which is OpenAPI's own. */
function schemaOf(schema: z.ZodType): Part {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}

function reference(name: string): Part {
  return { $ref: `#/components/${name}` };
}

// A label selector as Kubernetes has it, in a pool's fields. Given written fields; the rule that an
// operator has about its values is checked here, as a CRD checks it by CEL.

import type { LabelRequirement, LabelSelector } from "@fairlead/model";
import { z } from "zod";

import { absent, stringMap } from "../sources/object-metadata.ts";
import { quote } from "../sources/quote.ts";

/** Most expressions of one selector, and most values of one expression. */
const EXPRESSIONS_MAX = 16;
const VALUES_MAX = 64;

/** A selector as written. */
export interface WrittenSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly WrittenRequirement[] | undefined;
}

interface WrittenRequirement {
  readonly key: string;
  readonly operator: LabelRequirement["operator"];
  readonly values?: readonly string[] | undefined;
}

/** Schema of a selector; unknown fields are an error: they were meant to limit something. */
export const selectorSchema: z.ZodType<WrittenSelector> = z.strictObject({
  matchLabels: absent(stringMap),
  matchExpressions: absent(
    z
      .array(
        z.strictObject({
          key: z.string().min(1),
          operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
          values: absent(z.array(z.string()).max(VALUES_MAX)),
        }),
      )
      .max(EXPRESSIONS_MAX),
  ),
});

/** Makes a selector of its written fields; what is wrong with it is told to `complain`. */
export function readSelector(
  written: WrittenSelector | undefined,
  complain: (detail: string) => void,
): LabelSelector {
  const matchExpressions = (written?.matchExpressions ?? []).flatMap((one) => {
    const requirement = readRequirement(one);
    if (typeof requirement !== "string") return [requirement];
    complain(`serviceSelector: ${quote(one.key)}: ${requirement}`);
    return [];
  });
  return { matchLabels: written?.matchLabels ?? {}, matchExpressions };
}

function readRequirement({
  key,
  operator,
  values = [],
}: WrittenRequirement): LabelRequirement | string {
  if (operator === "In" || operator === "NotIn") {
    return values.length > 0 ? { key, operator, values } : `operator ${operator} needs values`;
  }
  return values.length === 0 ? { key, operator } : `operator ${operator} takes no values`;
}

// Which Services a pool's label selector lets in, requirement by requirement.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { LabelRequirement } from "@fairlead/model";
import { makeClaim, makePool } from "@fairlead/testkit";

import { whyNotAllowed } from "./access.ts";
import { checkPools } from "./pools.ts";

interface Case {
  readonly requirement: LabelRequirement;
  /** Labels that are let in, and labels that are not. */
  readonly lets: readonly Readonly<Record<string, string>>[];
  readonly shuts: readonly Readonly<Record<string, string>>[];
}

const cases: readonly Case[] = [
  {
    requirement: { key: "tier", operator: "In", values: ["gold", "silver"] },
    lets: [{ tier: "silver" }],
    shuts: [{ tier: "lead" }, {}],
  },
  {
    requirement: { key: "tier", operator: "NotIn", values: ["gold"] },
    lets: [{ tier: "lead" }, {}],
    shuts: [{ tier: "gold" }],
  },
  {
    requirement: { key: "tier", operator: "Exists" },
    lets: [{ tier: "" }],
    shuts: [{ team: "tier" }],
  },
  {
    requirement: { key: "tier", operator: "DoesNotExist" },
    lets: [{ team: "tier" }],
    shuts: [{ tier: "" }],
  },
  {
    requirement: { key: "constructor", operator: "Exists" },
    lets: [{ constructor: "" }],
    shuts: [{}],
  },
];

for (const { requirement, lets, shuts } of cases) {
  test(`a selector by ${JSON.stringify(requirement)}`, () => {
    const matchLabels = { app: "web" };
    const serviceSelector = { matchLabels, matchExpressions: [requirement] };
    const [view] = checkPools([makePool("lan", "192.0.2.1", { serviceSelector })]).usable;
    assert.ok(view);
    const whyNot = (labels: Readonly<Record<string, string>>): string | undefined =>
      whyNotAllowed(makeClaim("web", { labels: { app: "web", ...labels } }), view);
    for (const labels of lets) assert.equal(whyNot(labels), undefined);
    const why = "pool lan does not select the labels of default/web";
    for (const labels of [...shuts, { app: "other" }]) assert.equal(whyNot(labels), why);
  });
}

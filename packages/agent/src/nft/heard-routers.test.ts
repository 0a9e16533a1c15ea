// What is made of the elements of the sets.

import assert from "node:assert/strict";
import { test } from "node:test";

import { address, device } from "@fairlead/testkit";

import type { RouterElement } from "../ports.ts";
import { heardRouters, passedAdverts } from "./heard-routers.ts";

const element = (
  routerId: number,
  source: string,
  { link = "eth0", expiresMs = 60_000 } = {},
): RouterElement => ({ routerId, source: address(source), link: device(link), expiresMs });
const linesOf = (elements: readonly RouterElement[]): readonly string[] =>
  heardRouters(elements).map(({ routerId, source, link }) => `${routerId} ${source} ${link}`);

const cases: readonly {
  readonly name: string;
  readonly elements: readonly RouterElement[];
  readonly lines: readonly string[];
}[] = [
  { name: "an empty set hears nobody", elements: [], lines: [] },
  {
    name: "both families are told in order of the ids",
    elements: [
      element(51, "192.0.2.77"),
      element(7, "192.0.2.78", { link: "eth1" }),
      element(9, "fe80::1"),
    ],
    lines: ["7 192.0.2.78 eth1", "9 fe80::1 eth0", "51 192.0.2.77 eth0"],
  },
  {
    name: "a flood is cut",
    elements: Array.from({ length: 255 }, (_, i) => element(i + 1, "10.0.0.1", { link: "e" })),
    lines: Array.from({ length: 64 }, (_, i) => `${i + 1} 10.0.0.1 e`),
  },
];
for (const { name, elements, lines } of cases) {
  test(name, () => assert.deepEqual(linesOf(elements), lines));
}

test("who is heard is told without its time: a report is sent when it differs", () => {
  const [heard] = heardRouters([element(51, "192.0.2.77")]);
  assert.deepEqual(heard, { routerId: 51, source: "192.0.2.77", link: "eth0" });
});

test("what passed is told with when it last did", () => {
  const elements = [
    element(51, "192.0.2.77"),
    element(51, "192.0.2.78", { expiresMs: 40_250 }),
    // The kernel's clock is no later than ours, whatever it says.
    element(51, "192.0.2.79", { expiresMs: 60_004 }),
  ];
  const said = passedAdverts(elements, 100_000).map(({ source, lastMs }) => [source, lastMs]);
  assert.deepEqual(said, [
    ["192.0.2.77", 100_000],
    ["192.0.2.78", 80_250],
    ["192.0.2.79", 100_000],
  ]);
});

// Tables that awk can read, and ages as kubectl writes them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { formatAge, formatTable } from "./table.ts";

const COLUMNS = [
  { heading: "NAME", cell: (row: readonly string[]) => row[0] ?? "" },
  { heading: "HOLDER", cell: (row: readonly string[]) => row[1] ?? "" },
  { heading: "ORIGIN", cell: (row: readonly string[]) => row[2] ?? "", isWide: true },
];

test("columns line up, and an empty cell is a dash so that awk counts right", () => {
  const text = formatTable(COLUMNS, [
    ["default/web", "lb1", "a.yaml"],
    ["default/a", "", "b.yaml"],
  ]);
  assert.equal(text, "NAME          HOLDER\ndefault/web   lb1\ndefault/a     -\n");
});

test("wide shows more, and headings can be left away", () => {
  const rows = [["web", "lb1", "a.yaml"]];
  assert.equal(formatTable(COLUMNS, rows, { wide: true, headings: false }), "web   lb1   a.yaml\n");
});

const ages: readonly (readonly [number, string])[] = [
  [-5, "0s"],
  [999, "0s"],
  [119_000, "119s"],
  [125_000, "2m5s"],
  [180_000, "3m"],
  [3_600_000, "60m"],
  [7_500_000, "2h5m"],
  [90_000_000, "25h"],
  [356_400_000, "4d3h"],
];
for (const [ms, text] of ages) {
  test(`${ms} ms is ${text}`, () => assert.equal(formatAge(ms), text));
}

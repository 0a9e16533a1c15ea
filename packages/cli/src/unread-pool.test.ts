// A pool that could never be read, as the command line shows it: nobody knows its rules.

import assert from "node:assert/strict";
import { test } from "node:test";

import { create, DescribePoolResponseSchema, ListResponseSchema } from "@fairlead/wire";

import { arePoolsWell, formatPoolDetails, formatPools } from "./pool-view.ts";

const remark = {
  reason: "BadPoolRange",
  code: "FL0304",
  title: "A range cannot be used.",
  detail: 'in "pools.yaml": "192.0.2" is no address',
  remedy: "Mend it.",
};
const row = {
  name: "bad",
  size: "0",
  state: "refused",
  origin: "pools.yaml",
  remarks: [remark],
};
const WORDS = `
bad: A range cannot be used. (FL0304)
  why: in "pools.yaml": "192.0.2" is no address
  do:  Mend it.
`;

test("its line names it with the reason, and not all is well", () => {
  const { pools } = create(ListResponseSchema, { pools: [row] });
  const [headings = "", line = "", ...words] = formatPools(pools, { wide: true }).split("\n");
  assert.match(headings, /AUTO +PRIORITY +RANGES +ORIGIN +REASON$/);
  assert.match(line, /^bad +- +- +- +- +- +refused +- +- +- +- +pools\.yaml +BadPoolRange$/);
  assert.equal(`\n${words.slice(1).join("\n")}`, WORDS);
  assert.equal(arePoolsWell(pools), false);
});

test("its description has no rules that nobody declared", () => {
  const { pools } = create(DescribePoolResponseSchema, { pools: [{ row }] });
  const head = "Name:   bad\nOrigin: pools.yaml\nState:  refused\n";
  assert.equal(formatPoolDetails(pools, {}), `${head}${WORDS}`);
});

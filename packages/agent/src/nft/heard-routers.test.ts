// Reading what nft prints of the sets.

import assert from "node:assert/strict";
import { test } from "node:test";

import { heardRouters, passedAdverts } from "./heard-routers.ts";

const set = (name: string, ...values: readonly unknown[]): unknown => ({
  set: { name, elem: values.map((val) => ({ elem: { val, expires: 59 } })) },
});
const text = (...entries: readonly unknown[]): string => JSON.stringify({ nftables: entries });
const linesOf = (printed: string): readonly string[] =>
  heardRouters(printed).map(({ routerId, source, link }) => `${routerId} ${source} ${link}`);

const cases: readonly {
  readonly name: string;
  readonly printed: string;
  readonly lines: readonly string[];
}[] = [
  { name: "an empty set hears nobody", printed: text({ set: { name: "heard4" } }), lines: [] },
  {
    name: "both families are read, in order of the ids",
    printed: text(
      { metainfo: {} },
      set("heard4", { concat: ["eth0", "192.0.2.77", 51] }, { concat: ["eth1", "192.0.2.78", 7] }),
      set("heard6", { concat: ["eth0", "fe80::1", 9] }),
    ),
    lines: ["7 192.0.2.78 eth1", "9 fe80::1 eth0", "51 192.0.2.77 eth0"],
  },
  {
    name: "what is none is left out: id 0, which nobody may use, and what does not read",
    printed: text(
      set("heard4", { concat: ["eth0", "192.0.2.77", 0] }, { concat: ["eth0"] }, "x", null),
    ),
    lines: [],
  },
  {
    name: "a flood is cut",
    printed: text(
      set(
        "heard4",
        ...Array.from({ length: 255 }, (_, i) => ({ concat: ["e", "10.0.0.1", i + 1] })),
      ),
    ),
    lines: Array.from({ length: 64 }, (_, i) => `${i + 1} 10.0.0.1 e`),
  },
];
test("what passed is told with when it last did, to a second, and strangers are not", () => {
  const printed = text(
    { set: { name: "heard4", elem: [{ elem: { val: { concat: ["eth0", "192.0.2.1", 7] } } }] } },
    {
      set: {
        name: "passed4",
        elem: [
          { elem: { val: { concat: ["eth0", "192.0.2.77", 51] }, expires: 59 } },
          { elem: { val: { concat: ["eth0", "192.0.2.78", 51] }, expires: 40 } },
        ],
      },
    },
  );
  const said = passedAdverts(printed, 100_000)?.map(({ source, lastMs }) => [source, lastMs]);
  assert.deepEqual(said, [
    ["192.0.2.77", 100_000],
    ["192.0.2.78", 81_000],
  ]);
  assert.equal(passedAdverts(text(set("heard4")), 0), undefined, "a table of an older agent");
});
for (const { name, printed, lines } of cases) {
  test(name, () => assert.deepEqual(linesOf(printed), lines));
}

// Labels and router ids as an operator writes them on the command line.

import assert from "node:assert/strict";
import { test } from "node:test";

import { parseNodeSelector, parseRouterIds } from "./setting-grammars.ts";

const selectors = [
  { text: "", labels: {} },
  { text: "role=lb", labels: { role: "lb" } },
  { text: "role=lb, zone=a", labels: { role: "lb", zone: "a" } },
  {
    text: "node-role.kubernetes.io/worker, zone=a",
    labels: { "node-role.kubernetes.io/worker": undefined, zone: "a" },
  },
  { text: "role=", labels: { role: "" } },
  { text: "=lb", labels: undefined },
  { text: "role=lb,", labels: undefined },
  { text: "role=lb,role=db", labels: undefined },
  { text: "role,role=db", labels: undefined },
  { text: "role in (a)", labels: undefined },
  { text: "role=a=b", labels: undefined },
  { text: "__proto__=x", labels: undefined },
  { text: `${"a".repeat(64)}=x`, labels: undefined },
] as const;

for (const { text, labels } of selectors) {
  test(`node selector ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseNodeSelector(text), labels);
  });
}

const routerIds = [
  { text: "", ids: [] },
  { text: "51", ids: [51] },
  { text: "50-53,1", ids: [1, 50, 51, 52, 53] },
  { text: " 7 , 7 ", ids: [7] },
  { text: "255", ids: [255] },
  { text: "0", ids: undefined },
  { text: "256", ids: undefined },
  { text: "9-3", ids: undefined },
  { text: "1,,2", ids: undefined },
  { text: "0x10", ids: undefined },
  { text: "-5", ids: undefined },
] as const;

for (const { text, ids } of routerIds) {
  test(`router ids ${JSON.stringify(text)}`, () => assert.deepEqual(parseRouterIds(text), ids));
}

// The last lines of `fairlead status`: who leads, and what one that stands by can say.

import assert from "node:assert/strict";
import { test } from "node:test";

import { create, ListResponseSchema } from "@fairlead/wire";

import { formatStatus, isWell } from "./status-view.ts";

const FORM = { wide: false, headings: true };

const cases = [
  {
    name: "a leader is named",
    controller: { ready: true, leader: "lb1_5f0c2a91" },
    says: /controller ready; lb1_5f0c2a91 leads\n$/,
    isWell: true,
  },
  {
    name: "one that stands by sends people to the leader",
    controller: { ready: true, standsBy: true, leader: "lb1_5f0c2a91" },
    says: /^this controller stands by; lb1_5f0c2a91 leads: ask there, by --server\n$/,
    isWell: false,
  },
  {
    name: "one that stands by while nobody leads says why",
    controller: { ready: false, standsBy: true, detail: "nobody leads" },
    says: /^this controller stands by; nobody leads; not ready: nobody leads\n$/,
    isWell: false,
  },
];

for (const { name, controller, says, isWell: expected } of cases) {
  test(name, () => {
    const list = create(ListResponseSchema, { controller });
    assert.match(formatStatus(list, FORM), says);
    assert.equal(isWell(list), expected);
  });
}

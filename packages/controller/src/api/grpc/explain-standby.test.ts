// What a controller that does not lead says of anything: who does, or what keeps that from being
// known, which is then the first thing to mend.

import assert from "node:assert/strict";
import { test } from "node:test";

import { makeCycleView, makeWorld } from "@fairlead/testkit";

import type { ElectionView } from "../../ports.ts";
import { explain } from "./explain.ts";

const cases: readonly {
  readonly name: string;
  readonly lead: Omit<ElectionView, "leads">;
  readonly says: RegExp;
  readonly remedy: RegExp;
}[] = [
  {
    name: "another one leads: that one is to be asked",
    lead: { holder: "vm_1" },
    says: /stands by; vm_1 leads$/,
    remedy: /^ask vm_1, by --server$/,
  },
  {
    name: "nobody leads",
    lead: {},
    says: /nobody leads$/,
    remedy: /^look at the other controllers$/,
  },
  {
    name: "the etcd where the lead is kept does not answer",
    lead: { trouble: "no member answers: connect ECONNREFUSED 127.0.0.1:2379" },
    says: /not known who leads: no member answers: connect ECONNREFUSED 127\.0\.0\.1:2379$/,
    remedy: /^mend that/,
  },
];

for (const { name, lead, says, remedy } of cases) {
  test(name, () => {
    const view = makeCycleView(makeWorld({}), undefined, { lead: { leads: false, ...lead } });
    const syncState = (): never => assert.fail("nothing is known of agents here");
    const context = { nowMs: 0, uptimeMs: 0, version: "0.1.0", view, syncState };
    const told = explain(context, "default/web");
    assert.match(told.steps?.[0]?.detail ?? "", says);
    assert.match(told.remedy ?? "", remedy);
  });
}

// What readiness says while the lead cannot be had: the place that does not answer, by its name.

import assert from "node:assert/strict";
import { test } from "node:test";

import { notReadyText } from "./not-ready.ts";

const TROUBLE = "cannot read etcd at http://10.0.0.1:2379: no member answers";

test("where nobody answers for the lead, that is what is waited for, from the first moment", () => {
  for (const areListed of [false, true]) {
    const lead = { leads: false, trouble: TROUBLE, isUnreachable: true } as const;
    const text = notReadyText({ lead, writer: undefined, areListed, hasPlan: false });
    assert.equal(text, `it is not known who leads: ${TROUBLE}`);
  }
});

test("a store that is being opened is waited for, and so is somebody who leads", () => {
  const at = { writer: undefined, hasPlan: false };
  const leading = { leads: true, holder: "a" };
  assert.equal(notReadyText({ ...at, lead: leading, areListed: true }), "the store is not open");
  const nobody = { leads: false };
  assert.equal(notReadyText({ ...at, lead: nobody, areListed: true }), "nobody leads");
});

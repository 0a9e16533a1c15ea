// The log says each change once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Finding, parseClaimId, present, type Remark, type Verdict } from "@fairlead/model";
import { address, agentName } from "@fairlead/testkit";

import { narrate, NOTHING_SAID, type Said } from "./narrate.ts";

const WEB = present(parseClaimId("service/default/web"), "a claim");
const READY: Verdict = {
  claim: WEB,
  uid: "1",
  generation: 1,
  state: "ready",
  addresses: [{ address: address("192.0.2.100"), published: true, holder: agentName("lb1") }],
  conditions: [],
  remarks: [],
};
const REFUSED: Verdict = {
  ...READY,
  state: "refused",
  addresses: [],
  main: { reason: "AddressTaken", detail: "192.0.2.100 is held by default/shop" },
};
const LEFT_OUT: Remark = { reason: "BadMember", detail: "127.0.0.1 is left out" };
const FILE: Finding = {
  subject: "file",
  name: "a.yaml",
  reason: "ManifestUnreadable",
  detail: "line 3",
};

function said(verdict: Verdict | undefined, findings: readonly Finding[] = []): Said {
  return { verdicts: new Map(verdict === undefined ? [] : [[WEB, verdict]]), findings };
}

const cases: readonly { name: string; before: Said; now: Said; lines: readonly string[] }[] = [
  { name: "nothing new", before: said(READY, [FILE]), now: said(READY, [FILE]), lines: [] },
  {
    name: "served",
    before: NOTHING_SAID,
    now: said(READY),
    lines: ["info ready default/web 192.0.2.100 lb1"],
  },
  {
    name: "refused, with the reason and its code",
    before: said(READY),
    now: said(REFUSED),
    lines: ["warn refused default/web AddressTaken FL0205 192.0.2.100 is held by default/shop"],
  },
  {
    name: "a remark beside the state",
    before: said(READY),
    now: said({ ...READY, remarks: [LEFT_OUT] }),
    lines: ["warn remarked default/web BadMember FL0502 127.0.0.1 is left out"],
  },
  {
    name: "a remark that is the main reason, once",
    before: NOTHING_SAID,
    now: said({ ...READY, main: LEFT_OUT, remarks: [LEFT_OUT] }),
    lines: ["info ready default/web 192.0.2.100 lb1 BadMember FL0502 127.0.0.1 is left out"],
  },
  {
    name: "an address that is freed, which was a warning at each Service that went",
    before: said(undefined),
    now: said(undefined, [
      { subject: "address", name: "192.0.2.100", reason: "Releasing", detail: "waiting for lb1" },
    ]),
    lines: ["info found address 192.0.2.100 Releasing FL0413 waiting for lb1"],
  },
  {
    name: "a remark that went",
    before: said({ ...READY, remarks: [LEFT_OUT] }),
    now: said(READY),
    lines: ["info no longer remarked default/web BadMember"],
  },
  {
    name: "moved",
    before: said(READY),
    now: said({
      ...READY,
      addresses: [{ address: address("192.0.2.100"), published: true, holder: agentName("lb2") }],
    }),
    lines: ["info ready default/web 192.0.2.100 lb2"],
  },
  {
    name: "deleted",
    before: said(READY),
    now: said(undefined),
    lines: ["info no longer asked for default/web"],
  },
  {
    name: "a bad file",
    before: said(undefined),
    now: said(undefined, [FILE]),
    lines: ["warn found file a.yaml ManifestUnreadable FL0301 line 3"],
  },
  {
    name: "a mended file",
    before: said(undefined, [FILE]),
    now: said(undefined),
    lines: ["info no longer found file a.yaml ManifestUnreadable"],
  },
  {
    name: "a file that is bad in another way is bad still",
    before: said(undefined, [FILE]),
    now: said(undefined, [{ ...FILE, detail: "line 9" }]),
    lines: ["warn found file a.yaml ManifestUnreadable FL0301 line 9"],
  },
  {
    name: "one of two that are wrong with a file is mended, and the other is told otherwise",
    before: said(undefined, [FILE, { ...FILE, detail: "line 9" }]),
    now: said(undefined, [{ ...FILE, detail: "line 8" }]),
    lines: [
      "warn found file a.yaml ManifestUnreadable FL0301 line 8",
      "info no longer found file a.yaml ManifestUnreadable",
    ],
  },
  {
    name: "another member is left out instead",
    before: said({ ...READY, remarks: [LEFT_OUT] }),
    now: said({ ...READY, remarks: [{ ...LEFT_OUT, detail: "127.0.0.2 is left out" }] }),
    lines: ["warn remarked default/web BadMember FL0502 127.0.0.2 is left out"],
  },
];
for (const { name, before, now, lines } of cases) {
  test(name, () => {
    const told = Array.from(narrate(before, now), ({ level, fields, message }) =>
      [level, message, ...Object.values(fields)].join(" "),
    );
    assert.deepEqual(told, lines);
  });
}

test("a leader's first cycle counts what many are served, and names the others", () => {
  const ids = Array.from({ length: 30 }, (_, i) =>
    present(parseClaimId(`service/default/w${i}`), "a claim"),
  );
  const verdicts = new Map<Verdict["claim"], Verdict>(
    ids.map((claim) => [claim, { ...READY, claim }]),
  );
  const remarked = { ...READY, main: LEFT_OUT };
  verdicts.set(WEB, remarked);
  const now: Said = { verdicts, findings: [] };
  const told = [...narrate(NOTHING_SAID, now)];
  assert.deepEqual(
    told.map(({ fields, message }) => [message, fields["claims"] ?? fields["claim"]]),
    [
      ["ready", "30"],
      ["ready", "default/web"],
    ],
  );
  const few: Said = { verdicts: new Map([...verdicts].slice(0, 20)), findings: [] };
  assert.equal([...narrate(NOTHING_SAID, few)].length, 20);
  assert.equal([...narrate(few, now)].length, 11, "later each has its line, however many come");
});

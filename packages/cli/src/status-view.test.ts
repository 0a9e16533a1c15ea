// The last lines of `fairlead status`: who leads, and what one that stands by can say.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AgentRowSchema, create, ListResponseSchema } from "@fairlead/wire";

import { formatAgents, formatStatus, isWell } from "./status-view.ts";

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
    says: /^this controller stands by; lb1_5f0c2a91 leads: ask on its host\n$/,
    isWell: false,
  },
  {
    name: "one that stands by while nobody leads says why",
    controller: { ready: false, standsBy: true, detail: "nobody leads" },
    says: /^this controller stands by; nobody leads; not ready: nobody leads\n$/,
    isWell: false,
  },
];

test("without headings there are rows alone: a sentence would be read as a row", () => {
  const main = { reason: "PoolExhausted", code: "FL0203", title: "full", detail: "3 of 3" };
  const claim = { namespace: "default", name: "web", state: "pending", ports: ["80/TCP"], main };
  const findings = [{ subject: "file", name: "a.yaml", remark: main }];
  const list = create(ListResponseSchema, { controller: {}, claims: [claim], findings });
  const agent = create(AgentRowSchema, { name: "lb1", state: "connected", remarks: [main] });
  const rows = { wide: false, headings: false };
  for (const text of [formatStatus(list, rows), formatAgents([agent], rows)]) {
    assert.equal(text.trimEnd().split("\n").length, 1, text);
  }
  const standby = create(ListResponseSchema, { controller: { standsBy: true } });
  assert.equal(formatStatus(standby, rows), "");
});

test("an agent without a lane to run is not said to have its keepalived down", () => {
  const cells = [{ keepalivedNeeded: false }, { keepalivedNeeded: true }].map((row) => {
    const agent = create(AgentRowSchema, { name: "lb1", state: "connected", ...row });
    return formatAgents([agent], { wide: false, headings: false }).split(/ +/)[5];
  });
  assert.deepEqual(cells, ["-", "down"]);
});

for (const { name, controller, says, isWell: expected } of cases) {
  test(name, () => {
    const list = create(ListResponseSchema, { controller });
    assert.match(formatStatus(list, FORM), says);
    assert.equal(isWell(list), expected);
  });
}

test("status ended well while no address could be written into its Service", () => {
  const controller = { ready: true };
  const claims = [{ namespace: "default", name: "web", state: "ready" }];
  const isWellWith = (reason: string): boolean => {
    const findings = [{ subject: "source", name: "x", remark: { reason } }];
    return isWell(create(ListResponseSchema, { controller, claims, findings }));
  };
  assert.equal(isWellWith("PublishFailed"), false);
  assert.equal(isWellWith("SourceUnreadable"), false, "nobody knows what is asked for there");
  assert.equal(isWellWith("BadField"), false, "it asks for something that is not served");
  assert.equal(isWellWith("ExternalIPsRefused"), true);
  assert.equal(isWellWith("KindUnknown"), true, "pools may come from flags alone");
});

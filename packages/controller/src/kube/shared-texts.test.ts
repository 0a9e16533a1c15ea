// Texts that are shared say what they said.

import assert from "node:assert/strict";
import { test } from "node:test";

import { readServiceRecord } from "./read-record.ts";
import type { Json } from "./object-fields.ts";
import { createSharedTexts } from "./shared-texts.ts";

/** More than are remembered. */
const RECORDS = 5000;

test("records with shared texts read the same, also after more texts than are remembered", () => {
  const share = createSharedTexts();
  for (let at = 0; at < RECORDS; at += 1) {
    const object = serviceOf(at);
    assert.deepEqual(readServiceRecord(object, share), readServiceRecord(object));
  }
});

function serviceOf(at: number): Json {
  const condition = { status: "True", reason: "Allocated", message: `${at} is allocated.` };
  return {
    metadata: {
      namespace: "default",
      name: `web-${at}`,
      uid: `u${at}`,
      finalizers: ["fairlead.io/release", `example.com/${at % 7}`],
      managedFields: [
        { manager: `manager-${at % 3}`, time: `t${at}`, fieldsV1: { "f:spec": {} } },
        { manager: "fairlead-status", fieldsV1: { "f:status": { "f:conditions": {} } } },
      ],
    },
    spec: { type: "LoadBalancer" },
    status: {
      conditions: [
        { type: "fairlead.io/AddressAllocated", lastTransitionTime: `t${at}`, ...condition },
      ],
    },
  };
}

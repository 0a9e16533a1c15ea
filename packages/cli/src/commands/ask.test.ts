// What an operator is told to do when no controller answers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { silentRemedy } from "./ask.ts";

test("a controller of another host that is asked from here need not be started once more", () => {
  for (const server of ["127.0.0.1:7705", "localhost:7705", "[::1]:7705"]) {
    assert.match(silentRemedy(server), /^Start fairlead-controller/u);
  }
  for (const server of ["192.0.2.11:7705", "lb1:7705", "[2001:db8::1]:7705"]) {
    assert.match(silentRemedy(server), /^Ask on that host.*--listen-admin/u);
  }
});

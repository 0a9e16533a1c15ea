// Which device takes an address that one host holds by itself: one that is up, whether it is in the
// network of the address or merely the primary one.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  makeAgent,
  makeClaim,
  makeLink,
  makePool,
  makeRevisionOf,
  makeWorld,
  verdictLine,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

for (const address of ["192.0.2.100", "198.51.100.7"]) {
  for (const up of [true, false]) {
    test(`${address} is ${up ? "held by" : "kept from"} a device that is ${up ? "up" : "down"}`, () => {
      const world = makeWorld({
        claims: [makeClaim("web")],
        pools: [makePool("lan", address, { mode: "link" })],
        agents: [makeAgent("a", { links: [makeLink("eth0", ["192.0.2.11/24"], { up })] })],
      });
      const said = verdictLine(plan(world, { revisionOf: makeRevisionOf() }), "web");
      assert.equal(said.split(" ").at(-1), up ? "WaitingForAgent" : "NoSegment");
    });
  }
}

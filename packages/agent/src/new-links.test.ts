// A device that a lane runs on comes after the agent: a bond at boot, a cable of a USB adapter.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Link, parseDeviceName, present } from "@fairlead/model";
import { acceptedPlan, laneOf } from "@fairlead/testkit";

import { createNewLinks } from "./new-links.ts";

const plan = acceptedPlan("a", [laneOf({ routerId: 51, order: ["a=192.0.2.11"] })]);

function link(name: string): Link {
  const device = present(parseDeviceName(name), "a device name");
  return { name: device, mac: "02:00:00:00:00:01", up: true, primary: false, prefixes: [] };
}

test("the device of a lane that appears is told once", () => {
  const links = createNewLinks();
  assert.equal(links.look([link("eth1")], plan), false);
  assert.equal(links.look([link("eth1"), link("eth0")], plan), true);
  assert.equal(links.look([link("eth1"), link("eth0")], plan), false);
  assert.equal(links.count, 1);
  links.look([link("eth1")], plan);
  assert.equal(links.look([link("eth0")], plan), true);
  assert.equal(links.count, 2);
});

test("what is there from the start, and what no lane runs on, is not told", () => {
  const links = createNewLinks();
  assert.equal(links.look([link("eth0")], plan), false);
  assert.equal(links.look([link("eth0"), link("docker0")], plan), false);
  assert.equal(links.look([link("eth0")], undefined), false);
});

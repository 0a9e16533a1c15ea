// Service networks that something real lies in: the judge on facts made up, and the agent's look at
// a host in a sandbox. Whoever gives such a network would make the whole of it the host itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress, present } from "@fairlead/model";
import { runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";
import { SERVICE_NETWORKS } from "../service-ranges.ts";
import { checkHost } from "../check-host.ts";
import { serviceNetworkProblems } from "./judge-networks.ts";
import { gatewaysOf, networksOf } from "./network-facts.ts";
import { problemText, runPreflight } from "./preflight.ts";

const DEVICES = `1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever
1: lo    inet6 ::1/128 scope host \\       valid_lft forever
2: eth0    inet 10.77.0.13/24 brd 10.77.0.255 scope global eth0\\       valid_lft forever
2: eth0    inet6 fd77::13/64 scope global \\       valid_lft forever
3: ppp0    inet 192.0.2.1 peer 203.0.113.9/32 scope global ppp0\\       valid_lft forever
`;
const ROUTES = `default via 100.64.0.1 dev eth1 onlink
local 198.18.0.0/15 dev lo table local proto 157 scope host
192.0.2.64/26 proto static \\	nexthop via 100.64.0.1 dev eth1 weight 1 \\	nexthop via 100.65.0.2 dev eth1
203.0.113.0/24 via inet6 fe80::1 dev eth1
default via fdbb::1 dev eth0 metric 1024
`;
const FACTS = { networks: networksOf(DEVICES), gateways: gatewaysOf(ROUTES) };

const WHY = "every address of a service network is this host itself";
const HELP = "give another with --service-networks, of addresses that nothing else uses";
const cases = [
  { name: "the defaults", given: SERVICE_NETWORKS, wanted: [] },
  {
    name: "the network of a device",
    given: ["10.76.0.0/15", "fd77::/16"],
    wanted: [
      `the service network 10.76.0.0/15 covers 10.77.0.13/24 of eth0 (${WHY}): ${HELP}`,
      `the service network fd77::/16 covers fd77::13/64 of eth0 (${WHY}): ${HELP}`,
    ],
  },
  {
    name: "a part of the network of a device",
    given: ["127.4.0.0/15"],
    wanted: [`the service network 127.4.0.0/15 overlaps 127.0.0.1/8 of lo (${WHY}): ${HELP}`],
  },
  {
    name: "the other end of a line",
    given: ["203.0.112.0/15"],
    wanted: [`the service network 203.0.112.0/15 covers 203.0.113.9/32 of ppp0 (${WHY}): ${HELP}`],
  },
  {
    name: "routers of routes, each once",
    given: ["100.64.0.0/10", "fdbb::/64"],
    wanted: [
      "the service network 100.64.0.0/10 covers the router 100.64.0.1, the router 100.65.0.2 " +
        `(${WHY}): ${HELP}`,
      `the service network fdbb::/64 covers the router fdbb::1 (${WHY}): ${HELP}`,
    ],
  },
  {
    name: "a controller that is given as an address",
    given: ["172.16.0.0/12"],
    controllers: ["lb.example:7702,172.20.0.7:7702"],
    wanted: [
      "the service network 172.16.0.0/12 covers the controller 172.20.0.7:7702 " +
        `(${WHY}): ${HELP}`,
    ],
  },
] as const;

for (const c of cases) {
  test(`service networks: ${c.name}`, () => {
    const controllers = "controllers" in c ? c.controllers : [];
    const options = { runDir: "/run/x", stateDir: "/x", runDirProblem: undefined, link: undefined };
    const given = { ...options, serviceNetworks: c.given, controllers };
    assert.deepEqual(serviceNetworkProblems(FACTS, given).map(problemText), c.wanted);
  });
}

test("service networks: many addresses in one are not all named", () => {
  const address = present(parseAddress("10.77.0.13"), "an address");
  const one = { prefix: { address, length: 32 }, device: "eth0" };
  const facts = { networks: [one, one, one, one, one], gateways: [] };
  const options = { runDir: "/run/x", stateDir: "/x", runDirProblem: undefined, link: undefined };
  const [found] = serviceNetworkProblems(facts, { ...options, serviceNetworks: ["10.0.0.0/8"] });
  assert.match(found?.what ?? "", /(10\.77\.0\.13\/32 of eth0(, | and )){3}2 more$/);
});

async function ip(...args: readonly string[]): Promise<void> {
  const limits = { timeoutMs: 10_000, maxOutputBytes: 65_536 };
  const result = await runProgram({ command: "ip", args, ...limits });
  assert.equal(result.code, 0, result.stderr);
}

inSandbox({ file: import.meta.url, name: "service networks of a host" }, () => {
  const where = { runDir: "/run/x", stateDir: "/run/state", path: process.env["PATH"] };

  test("an agent does not start with the network of its device or its router", async () => {
    await ip("link", "add", "eth0", "type", "veth", "peer", "name", "other0");
    await ip("address", "add", "10.77.0.13/24", "dev", "eth0");
    await ip("link", "set", "eth0", "up");
    await ip("route", "add", "default", "via", "10.78.0.1", "dev", "eth0", "onlink");
    const serviceNetworks = ["10.76.0.0/15", "10.78.0.0/15"];
    const unfit = await runPreflight({ ...where, serviceNetworks });
    assert.equal(unfit.kind, "unfit");
    assert.deepEqual(
      unfit.problems.map(({ what }) => what),
      [
        "the service network 10.76.0.0/15 covers 10.77.0.13/24 of eth0",
        "the service network 10.78.0.0/15 covers the router 10.78.0.1",
      ],
    );
    const lines = await checkHost({ ...where, serviceNetworks: ["10.76.0.0/15", "198.18.0.0/15"] });
    assert.deepEqual(
      lines
        .filter(({ check }) => check === "service-network")
        .map(({ verdict, subject }) => `${verdict} ${subject}`),
      ["error 10.76.0.0/15", "ok 198.18.0.0/15"],
    );
  });

  test("the defaults are free, also where the agent's own routes stand", async () => {
    await ip("route", "add", "local", "198.18.0.0/15", "dev", "lo", "table", "local");
    const fit = await runPreflight({ ...where, serviceNetworks: SERVICE_NETWORKS });
    assert.equal(fit.kind, "ready", JSON.stringify(fit));
  });
});

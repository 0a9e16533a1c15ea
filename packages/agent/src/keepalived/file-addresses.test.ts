// Reading a keepalived.conf back, the sweep made of it, and moves between lanes.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressesOf,
  countVips,
  createInstanceReader,
  readInstances,
  sweepCommands,
} from "./file-addresses.ts";
import { fileProblem, keepalivedRefusal } from "./refusal.ts";
import { firstReload } from "./two-reloads.ts";

const lane = (id: number, vips: readonly string[]): string => `vrrp_instance lane-${id} {
  state BACKUP
  interface eth0 # the link
  virtual_router_id ${id}
  unicast_peer {
    192.0.2.12 min_ttl 255 max_ttl 255
  }
  virtual_ipaddress {
    169.254.255.${id}/32 dev eth0 scope link
  }
  virtual_ipaddress_excluded {
${vips.map((vip) => `    ${vip} dev eth0`).join("\n")}
  }
}
`;
const GLOBAL = `global_defs {
  router_id x
  vrrp_version 3
}
`;

test("a text read again is not read anew, and only the last few are kept", () => {
  const read = createInstanceReader();
  const text = lane(51, ["192.0.2.100/32"]);
  const instances = read(text);
  assert.deepEqual(instances, readInstances(text));
  for (const id of [1, 2]) read(lane(id, []));
  assert.equal(read(text), instances);
  for (const id of [3, 4, 5]) read(lane(id, []));
  assert.notEqual(read(text), instances);
});

test("a file is read back: instances, anchors, VIPs of both families, devices", () => {
  const text = `${GLOBAL}! a comment
${lane(51, ["192.0.2.100/32", "2001:db8::100/128"])}${lane(52, [])}`;
  const instances = readInstances(text);
  assert.deepEqual(
    instances.map((instance) => [instance.name, instance.anchors.length, instance.vips.length]),
    [
      ["lane-51", 1, 2],
      ["lane-52", 1, 0],
    ],
  );
  assert.equal(countVips(instances), 2);
  assert.equal(
    sweepCommands(addressesOf(instances)),
    `address delete 169.254.255.51/32 dev eth0
address delete 169.254.255.52/32 dev eth0
address delete 192.0.2.100/32 dev eth0
address delete 2001:db8::100/128 dev eth0
`,
  );
});

test("an address without device or length gets those of its instance and family", () => {
  const text = `vrrp_instance a {
  virtual_ipaddress_excluded {
    192.0.2.7
  }
  interface eth1
}`;
  const [entry] = readInstances(text)[0]?.vips ?? [];
  assert.deepEqual(entry, { address: "192.0.2.7", prefixLength: 32, device: "eth1", line: 2 });
});

test("nothing but addresses and device names gets into the sweep", () => {
  const entries = [
    { address: "192.0.2.1;reboot", prefixLength: 32, device: "eth0", line: 0 },
    { address: "192.0.2.1", prefixLength: 32, device: "eth0;x", line: 0 },
  ];
  assert.equal(sweepCommands(entries), "");
});

const problems = [
  { name: "the count agrees", text: lane(51, ["192.0.2.100/32"]), vipCount: 1, wanted: undefined },
  { name: "an empty file for a plan with VIPs", text: "", vipCount: 1, wanted: /lists 0 VIPs/ },
  {
    name: "a file that lost one",
    text: lane(51, ["192.0.2.100"]),
    vipCount: 2,
    wanted: /the plan 2/,
  },
  {
    name: "an instance without its anchor",
    text: lane(51, []).replace(/ {4}169.*\n/, ""),
    vipCount: 0,
    wanted: /lane-51 has 0 anchors/,
  },
] as const;

for (const c of problems) {
  test(`the guard before a swap: ${c.name}`, () => {
    const remark = fileProblem(readInstances(c.text), c.vipCount);
    if (c.wanted === undefined) assert.equal(remark, undefined);
    else assert.match(remark?.detail ?? "", c.wanted);
  });
}

test("a VIP that changes lanes goes out first", () => {
  const before = GLOBAL + lane(51, ["192.0.2.100/32"]) + lane(52, ["192.0.2.101/32"]);
  const wanted = GLOBAL + lane(51, ["192.0.2.101/32"]) + lane(52, ["192.0.2.100/32"]);
  const first = firstReload([before], wanted);
  assert.deepEqual(
    first?.left.map((entry) => entry.address),
    ["192.0.2.101", "192.0.2.100"],
  );
  assert.equal(countVips(readInstances(first.text)), 0);
  assert.equal(readInstances(first.text).length, 2);
  assert.equal(firstReload([first.text], wanted), undefined);
  assert.deepEqual(firstReload([wanted, before], wanted), first, "it may run either");
});

test("VIPs that come, go or stay need one reload", () => {
  const before = lane(51, ["192.0.2.100/32", "192.0.2.101/32"]);
  assert.equal(firstReload([before], lane(51, ["192.0.2.101/32", "192.0.2.102/32"])), undefined);
  assert.equal(firstReload([], before), undefined);
});

test("keepalived's complaint is said once, with file, line and lane", () => {
  const text = lane(51, ["192.0.2.100/32", "192.0.2.1001/32"]);
  const line = text.split("\n").findIndex((one) => one.includes("192.0.2.1001")) + 1;
  const words = `(Line ${line}) Invalid address '192.0.2.1001'
(/run/x/candidate.conf: Line ${line}) Invalid address '192.0.2.1001'
`;
  const place = `keepalived.conf:${line} in ${instanceName(text)}, 192.0.2.1001`;
  assert.deepEqual(keepalivedRefusal(words, text, "-"), {
    reason: "ConfigRejected",
    detail: `keepalived: ${place}: Invalid address '192.0.2.1001'`,
  });
});

test("a complaint outside of every lane names the file and the line alone", () => {
  const words = "(/run/x/candidate.conf: Line 1) Unknown keyword 'badword'";
  const { detail } = keepalivedRefusal(words, `badword\n${lane(51, [])}`, "-");
  assert.equal(detail, "keepalived: keepalived.conf:1: Unknown keyword 'badword'");
});

test("without complaints the last words count, and without words what is said otherwise", () => {
  assert.equal(keepalivedRefusal("a\nb\n", "", "-").detail, "keepalived: b");
  assert.equal(keepalivedRefusal("", "", "it ended").detail, "keepalived: it ended");
});

function instanceName(text: string): string {
  return /^vrrp_instance (\S+)/m.exec(text)?.[1] ?? "";
}

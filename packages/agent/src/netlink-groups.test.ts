// Who listens to what, by the kernel's list as it was met, and by the kernel itself.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";

import { createSystemClock } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";

import { isListed, LINK_GROUP, listensTo, NFTABLES_GROUP } from "./netlink-groups.ts";

const LIST = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
00000000d1766717 12  5061       00000140 0        0        0     2        0        58702059
00000000451b937c 12  0          00000000 0        0        0     2        0        1434
000000001d4e4a2f 0   5062       000405d1 0        0        0     2        0        58702062
000000001d4e4a30 0   4294962233 00000001 0        0        0     2        0        58702063
`;

const cases = [
  { name: "a monitor of nftables", group: NFTABLES_GROUP, pid: 5061, is: true },
  { name: "one that has not begun", group: NFTABLES_GROUP, pid: 5063, is: false },
  { name: "the kernel's own socket", group: NFTABLES_GROUP, pid: 0, is: false },
  { name: "a monitor of links", group: LINK_GROUP, pid: 5062, is: true },
  { name: "one that listens to something else", group: LINK_GROUP, pid: 5061, is: false },
];
for (const { name, group, pid, is } of cases) {
  test(`${name} ${is ? "listens" : "does not listen"}`, () => {
    assert.equal(isListed(LIST, group, pid), is);
  });
}

inSandbox({ file: import.meta.url, name: "netlink-groups" }, () => {
  const clock = createSystemClock();
  const monitors = [
    { group: NFTABLES_GROUP, words: ["/usr/sbin/nft", "monitor"] },
    { group: LINK_GROUP, words: ["/usr/sbin/ip", "-o", "monitor", "link", "address"] },
  ] as const;
  for (const { group, words } of monitors) {
    test(`${words.join(" ")} is seen to listen`, async () => {
      const [program, ...args] = words;
      const child = spawn(program, args, { stdio: "ignore" });
      try {
        const pid = child.pid ?? 0;
        while (!listensTo(group, pid)) await clock.sleep(5);
        assert.equal(listensTo(group, process.pid), false);
      } finally {
        child.kill("SIGKILL");
      }
    });
  }
});

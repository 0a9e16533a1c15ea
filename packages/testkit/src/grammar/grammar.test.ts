// The strict readers read all goldens of the renderers, and see every way in which text of a user
// could break out of a word: a reader that lets one through proves nothing.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { readKeepalived } from "./keepalived-grammar.ts";
import { MEMBER_WORDS, nftFaults } from "./nft-grammar.ts";
import { readNginx } from "./nginx-grammar.ts";

const GOLDENS = new URL("../../../render/testdata/", import.meta.url);
const golden = (name: string, file: string): string =>
  readFileSync(new URL(`${name}/${file}`, GOLDENS), "utf8");

for (const name of readdirSync(GOLDENS)) {
  const isBroken = name === "broken";
  test(`the golden ${name} is ${isBroken ? "refused" : "read back without a fault"}`, () => {
    const faults = [
      readNginx(golden(name, "nginx.conf")).faults,
      readKeepalived(golden(name, "keepalived.conf")).faults,
    ];
    if (isBroken) for (const found of faults) assert.notEqual(found.length, 0);
    else assert.deepEqual(faults, [[], []]);
  });
}

test("what was read is what the files say", () => {
  const nginx = readNginx(golden("two-ports-and-udp", "nginx.conf"));
  assert.ok(nginx.listens.length >= 3 && nginx.listens.some((listen) => listen.endsWith(" udp")));
  assert.equal(readKeepalived(golden("two-hundred-vips", "keepalived.conf")).vips.length, 200);
});

/** What a user could want to have in a file, put in place of a word of it. */
const BREAKS = [
  "a; daemon on",
  "a;}",
  "a {",
  "}",
  "a\nload_module /tmp/x.so;",
  "a\n  notify /tmp/x",
  '"a"',
  "'a'",
  "a\\",
  "$host",
  "#a",
  "!a",
  "a\0b",
  "\u202eevil",
  "e\u200bvil",
  "ｅth0",
  "eth0\u0301",
  "../../etc",
  "default/web",
  "a b",
  "",
  "@include",
  "x".repeat(5000),
];

for (const text of BREAKS) {
  test(`${JSON.stringify(text.slice(0, 30))} in place of a word is a fault`, () => {
    const nginx = golden("one-tcp-service", "nginx.conf");
    const [, upstream = ""] = /upstream (\S+) \{/.exec(nginx) ?? [];
    const [, endpoint = ""] = /server (\S+) weight/.exec(nginx) ?? [];
    for (const word of [upstream, endpoint]) {
      assert.notEqual(readNginx(nginx.replaceAll(word, () => text)).faults.length, 0, word);
    }
    const keepalived = golden("one-tcp-service", "keepalived.conf");
    const [, lane = ""] = /vrrp_instance (\S+) \{/.exec(keepalived) ?? [];
    const [, vip = ""] = /excluded \{\n +(\S+) /.exec(keepalived) ?? [];
    for (const word of [lane, vip]) {
      const forged = keepalived.replaceAll(word, () => text);
      assert.notEqual(readKeepalived(forged).faults.length, 0, word);
    }
  });
}

test("a file that was cut, or has a statement more, is a fault", () => {
  const text = golden("one-tcp-service", "nginx.conf");
  for (const forged of [
    text.slice(0, -3),
    `${text}daemon on;\n`,
    text.replace("\n", "\n# more\n"),
    text.replace("daemon off;", "daemon off"),
    text.replace("daemon off;", "daemon off; daemon off extra;"),
    `${text}}\n`,
  ]) {
    assert.notEqual(readNginx(forged).faults.length, 0);
  }
});

const names = new Set(["fairlead_guard", "vips", "guard"]);
const SCRIPT = `table inet fairlead_guard {
  set vips { type ipv4_addr . inet_proto . inet_service; elements = { 192.0.2.10 . tcp . 80 }; }
  chain guard { type filter hook input priority -10; policy accept;
    iifname "eth0" ip daddr 192.0.2.0/24 ct state established,related accept
    ip daddr . meta l4proto . th dport @vips accept
    ip6 daddr 2001:db8::1 tcp dport 22 reject with tcp reset
    limit rate 10/second burst 5 packets accept
  }
}
`;

test("a script for nft is of known words", () =>
  assert.deepEqual(nftFaults(SCRIPT, { names }), []));

test("the script of the member table is of known words and thirteen names", () => {
  assert.equal(MEMBER_WORDS.names.size, 13);
  assert.deepEqual(nftFaults(golden("member-table", "members.nft"), MEMBER_WORDS), []);
});

test("a comment of ours is one as a whole line, and nowhere else", () => {
  const comments = new Set(["# Ours."]);
  const commented = SCRIPT.replace("  chain", "  # Ours.\n  chain");
  assert.deepEqual(nftFaults(commented, { names, comments }), []);
  for (const text of ["# Yours.", "# Ours. ", "# Ours.\r", "accept # Ours."]) {
    const forged = commented.replace("# Ours.", () => text);
    assert.notEqual(nftFaults(forged, { names, comments }).length, 0, text);
  }
});

/** What is a word of nft as it stands, where any word may stand. */
const HARMLESS: ReadonlySet<string> = new Set(["", '"a"']);

for (const text of [...BREAKS, "web", "default/web", "eth0; drop"]) {
  if (HARMLESS.has(text)) continue;
  test(`nft: ${JSON.stringify(text.slice(0, 30))} as a name is a fault`, () => {
    const forged = SCRIPT.replace("@vips", () => `@${text}`);
    assert.notEqual(nftFaults(forged, { names }).length, 0);
  });
}

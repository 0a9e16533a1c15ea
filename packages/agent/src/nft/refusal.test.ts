// What an operator reads when nft takes nothing of a script, from words that nft 1.0.6 really says.

import assert from "node:assert/strict";
import { test } from "node:test";

import { nftRefusal } from "./refusal.ts";

const FILE = "/run/fairlead/members.nft.refused";
const ELEMENT = "198.18.1.0 . tcp . 3 : 10.0.0.1 . 80";
const MARKS = "^^^^^^^^^^^^^^^^^^^^";

const refusals = [
  {
    name: "an element is there already, with another member",
    said: `/dev/stdin:4:1-20: Error: Could not process rule: File exists\n${ELEMENT},\n${MARKS}\n`,
    wanted: `nft: Could not process rule: File exists in ${FILE}:4: ${ELEMENT}`,
  },
  {
    name: "an element that is to go is not there",
    said:
      "/dev/stdin:3:1-20: Error: Could not process rule: No such file or directory\n" +
      `198.18.1.0 . tcp . 3\n${MARKS}\n`,
    wanted:
      `nft: Could not process rule: No such file or directory in ${FILE}:3: ` +
      "198.18.1.0 . tcp . 3",
  },
  {
    name: "a set is full",
    said:
      "/dev/stdin:4:1-20: Error: Could not process rule: Too many open files in system\n" +
      `${ELEMENT},\n${MARKS}\n`,
    wanted: `nft: Could not process rule: Too many open files in system in ${FILE}:4: ${ELEMENT}`,
  },
  {
    name: "a set that nobody made",
    said:
      "/dev/stdin:1:39-42: Error: No such file or directory\n" +
      `add element inet fairlead_members nope {\n${" ".repeat(38)}^^^^\n`,
    wanted: `nft: No such file or directory in ${FILE}:1: add element inet fairlead_members nope`,
  },
  {
    name: "an element that is none",
    said:
      "/dev/stdin:3:32-36: Error: Service out of range\n" +
      `198.18.1.0 . tcp . 3 : 10.0.0.1 . 99999,\n${" ".repeat(34)}^^^^^\n`,
    wanted: `nft: Service out of range in ${FILE}:3: 198.18.1.0 . tcp . 3 : 10.0.0.1 . 99999`,
  },
  {
    name: "the table is somebody else's: the first of many words",
    said:
      "/dev/stdin:1:1-27: Error: Could not process rule: Operation not permitted\n" +
      "table inet fairlead_members\n^^^^^^^^^^^^^^^^^^^^^^^^^^^\n" +
      "/dev/stdin:2:19-34: Error: Could not process rule: Operation not permitted\n" +
      "delete table inet fairlead_members\n                  ^^^^^^^^^^^^^^^^\n",
    wanted:
      `nft: Could not process rule: Operation not permitted in ${FILE}:1: ` +
      "table inet fairlead_members",
  },
  {
    name: "more than its socket takes at once",
    said: "netlink: Error: Could not process rule: Message too long\n",
    wanted: "nft: Could not process rule: Message too long",
  },
  {
    name: "nothing of the script",
    said: 'internal:0:0-0: Error: Could not open file "/run/x": No such file or directory\n',
    wanted: 'nft: Could not open file "/run/x": No such file or directory',
  },
  {
    name: "words that are of no error",
    said: "\ncannot execute binary file\n",
    wanted: "nft: cannot execute binary file",
  },
  { name: "nothing at all", said: "", wanted: "nft: it did not end in 5 ms" },
] as const;

for (const { name, said, wanted } of refusals) {
  test(`nft refuses: ${name}`, () => {
    assert.equal(nftRefusal(said, { otherwise: "it did not end in 5 ms", file: FILE }), wanted);
  });
}

test("nft refuses: a script that could not be kept has a line all the same", () => {
  const [{ said }] = refusals;
  const words = nftRefusal(said, { otherwise: "", file: undefined });
  assert.equal(words, `nft: Could not process rule: File exists in line 4: ${ELEMENT}`);
});

test("nft refuses: of a line with thousands of elements the one that it marks is shown", () => {
  const others = "192.0.2.1 . 6 . 80, ".repeat(2000);
  const line = `${others}192.0.2.9 . 6 . 80, ${others}`;
  const span = `${others.length + 1}-${others.length + 18}`;
  const said = `/dev/stdin:7:${span}: Error: Could not process rule: File exists\n${line}\n`;
  const words = nftRefusal(said, { otherwise: "", file: FILE });
  assert.equal(words, `nft: Could not process rule: File exists in ${FILE}:7: 192.0.2.9 . 6 . 80`);
});

test("nft refuses: words are shortened and escaped", () => {
  const words = nftRefusal(`Error: bad \u001b[31m${"x".repeat(5000)}`, {
    otherwise: "",
    file: FILE,
  });
  assert.ok(words.length <= 1024);
  assert.ok(!words.includes("\u001b"));
});

// Answers of the kernel with gaps: played by hand, and by a real kernel in a sandbox that is looked
// at while addresses are deleted.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { endianness } from "node:os";
import { suite, test } from "node:test";

import { createLogger, createSystemClock, runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";
import { parseDeviceName } from "@fairlead/model";

import { createNetlinkKernel } from "./kernel.ts";
import { createWholeDump } from "./whole-dumps.ts";

const NEWADDR = 20;
const DONE = 3;
const INTERRUPTED = 0x10;

/** A message of netlink with one number as its payload. */
function message(type: number, flags: number, payload = 0): Buffer {
  const bytes = Buffer.alloc(20);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isLittle = endianness() === "LE";
  view.setUint32(0, bytes.length, isLittle);
  view.setUint16(4, type, isLittle);
  view.setUint16(6, flags, isLittle);
  view.setInt32(16, payload, isLittle);
  return bytes;
}

const GOOD = [message(NEWADDR, 2), message(DONE, 2)];

/** Dumps one after the other, each with its datagrams and with what was read of them. */
function play(...dumps: readonly { datagrams: readonly Buffer[]; read: readonly string[] }[]): {
  readonly whole: () => Promise<readonly string[]>;
  readonly asked: () => number;
} {
  const raw = new EventEmitter();
  const whole = createWholeDump(raw);
  let asked = 0;
  const dump = async (): Promise<readonly string[]> => {
    const { datagrams, read } = dumps[Math.min(asked, dumps.length - 1)] ?? assert.fail("none");
    asked += 1;
    for (const datagram of datagrams) raw.emit("message", datagram);
    return read;
  };
  return { whole: () => whole(dump, (text) => text), asked: () => asked };
}

suite("an answer of many parts", () => {
  test("is taken as it is where nothing was deleted", async () => {
    const { whole, asked } = play({ datagrams: GOOD, read: ["a", "b"] });
    assert.deepEqual(await whole(), ["a", "b"]);
    assert.equal(asked(), 1);
  });

  const torn: readonly { readonly name: string; readonly datagrams: readonly Buffer[] }[] = [
    { name: "a part", datagrams: [message(NEWADDR, 2 | INTERRUPTED), message(DONE, 2)] },
    {
      name: "the second message of a datagram",
      datagrams: [Buffer.concat([message(NEWADDR, 2), message(NEWADDR, 2 | INTERRUPTED)])],
    },
    { name: "the end alone", datagrams: [message(NEWADDR, 2), message(DONE, 2 | INTERRUPTED)] },
    { name: "an end by an error", datagrams: [message(NEWADDR, 2), message(DONE, 2, -2)] },
  ];
  for (const { name, datagrams } of torn) {
    test(`is asked for again where ${name} tells of gaps`, async () => {
      const { whole, asked } = play({ datagrams, read: ["a"] }, { datagrams: GOOD, read: ["b"] });
      assert.deepEqual(await whole(), ["b"]);
      assert.equal(asked(), 2);
    });
  }

  test("misses nothing that any of five answers with gaps told of", async () => {
    const datagrams = [message(DONE, 2 | INTERRUPTED)];
    const reads = [["a", "b"], ["a"], ["a", "c"], ["a"], ["a"], ["never"]];
    const { whole, asked } = play(...reads.map((read) => ({ datagrams, read })));
    assert.deepEqual((await whole()).toSorted(), ["a", "b", "c"]);
    assert.equal(asked(), 5);
  });
});

const IP = "/usr/sbin/ip";
const COUNT = 300;
const ROUNDS = 10;

async function ip(lines: readonly string[]): Promise<void> {
  const input = `${lines.join("\n")}\n`;
  const limits = { timeoutMs: 30_000, maxOutputBytes: 4096 };
  const result = await runProgram({ command: IP, args: ["-batch", "-"], input, ...limits });
  assert.equal(result.code, 0, result.stderr);
}

const each = (verb: string, network: string): readonly string[] =>
  Array.from({ length: COUNT }, (_, at) => {
    return `address ${verb} 10.${network}.${at >> 8}.${at & 255}/32 dev eth0`;
  });

inSandbox({ file: import.meta.url, name: "whole-dumps" }, () => {
  test("while hundreds of addresses are given up, no look misses one that stays", async () => {
    await ip(["link add eth0 type veth peer name peer0", "link set eth0 up"]);
    await ip([...each("add", "50"), ...each("add", "60")]);
    const clock = createSystemClock();
    const logger = createLogger({ level: "silent", format: "json" });
    const primaryLink = parseDeviceName("eth0");
    assert.ok(primaryLink);
    await using kernel = await createNetlinkKernel({ clock, logger, ipProgram: IP, primaryLink });
    const missed: number[] = [];
    const look = async (): Promise<void> => {
      const { addresses } = await kernel.view();
      const staying = addresses.filter(({ address }) => address.startsWith("10.60."));
      if (staying.length !== COUNT) missed.push(COUNT - staying.length);
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      const deleting = spawn(IP, ["-batch", "-"], { stdio: ["pipe", "ignore", "inherit"] });
      const ended = once(deleting, "exit");
      let isDeleting = true;
      void ended.then(() => (isDeleting = false));
      deleting.stdin.end(`${each("del", "50").join("\n")}\n`);
      while (isDeleting) await look();
      await look();
      await ip(each("add", "50"));
    }
    assert.deepEqual(missed, []);
  });
});

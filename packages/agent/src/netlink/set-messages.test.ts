// Reading answers of nftables as the kernel words them; that it does, nft-vrrp.test.ts shows.

import assert from "node:assert/strict";
import { test } from "node:test";

import { attribute, nested } from "./attributes.ts";
import { generationOf, routersOf } from "./set-messages.ts";

const FAMILY = Buffer.of(1, 0, 0, 0);

/** A key and how long it is kept on. */
interface Given {
  readonly link: string;
  readonly source: readonly number[];
  readonly routerId: number;
  readonly expiresMs?: bigint;
}

function element({ link, source, routerId, expiresMs }: Given): Buffer {
  const device = Buffer.alloc(16);
  device.write(link, "latin1");
  const key = Buffer.concat([device, Buffer.from(source), Buffer.of(routerId, 0, 0, 0)]);
  const expires = Buffer.alloc(8);
  expires.writeBigUInt64BE(expiresMs ?? 0n);
  const parts = [nested(1, [attribute(1, key)])];
  return nested(1, expiresMs === undefined ? parts : [...parts, attribute(5, expires)]);
}

function answer(...elements: readonly Given[]): Buffer {
  return Buffer.concat([FAMILY, nested(3, elements.map(element))]);
}

const V4: Given = { link: "eth0", source: [192, 0, 2, 77], routerId: 51, expiresMs: 59_500n };
const V6: Given = { ...V4, source: [0xfe, 0x80, ...Array<number>(13).fill(0), 1] };

const cases: readonly {
  readonly name: string;
  readonly payload: Buffer;
  readonly lines: readonly string[];
}[] = [
  {
    name: "routers of both families are read",
    payload: answer(V4, V6),
    lines: ["51 192.0.2.77 eth0 59500", "51 fe80::1 eth0 59500"],
  },
  {
    name: "a name of the longest kind ends with its bytes",
    payload: answer({ ...V4, link: "eth0.1234567890" }),
    lines: ["51 192.0.2.77 eth0.1234567890 59500"],
  },
  { name: "an empty set has nobody", payload: answer(), lines: [] },
  { name: "id 0 is nobody's", payload: answer({ ...V4, routerId: 0 }), lines: [] },
  {
    name: "an address of another length does not read, and its neighbour does",
    payload: answer({ ...V4, source: [192, 0, 2] }, V6),
    lines: ["51 fe80::1 eth0 59500"],
  },
  { name: "a device without a name is none", payload: answer({ ...V4, link: "" }), lines: [] },
  {
    name: "an element that stays for ever is none of ours",
    payload: answer({ link: V4.link, source: V4.source, routerId: V4.routerId }),
    lines: [],
  },
  { name: "an answer that is cut short", payload: answer(V4).subarray(0, 40), lines: [] },
];
for (const { name, payload, lines } of cases) {
  test(name, () => {
    const said = routersOf(payload).map(
      ({ routerId, source, link, expiresMs }) => `${routerId} ${source} ${link} ${expiresMs}`,
    );
    assert.deepEqual(said, lines);
  });
}

test("an answer says which ruleset it is of", () => {
  assert.equal(generationOf(Buffer.concat([Buffer.of(1, 0, 1, 4), nested(3, [])])), 260);
  assert.equal(generationOf(Buffer.of(1)), 0);
});

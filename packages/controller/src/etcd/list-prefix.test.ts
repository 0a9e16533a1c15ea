// Lists of many keys, from a member that needs a second for each page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeClock } from "@fairlead/runtime";
import type { KVClient } from "etcd3";

import { listPrefix } from "./list-prefix.ts";

const TRY_MS = 1500;
const PAGE_MS = 1000;

/** A member with so many keys. Who asks for a revision gets what stood there then. */
function slowMember(keys: number) {
  const clock = createFakeClock();
  const asked: string[] = [];
  const all = Array.from({ length: keys }, (_, at) => `/ipam/${String(at).padStart(6, "0")}`);
  let revision = 7;
  const range: Pick<KVClient, "range">["range"] = async (request, how) => {
    const {
      key,
      limit,
      revision: at,
    } = request as {
      readonly key: Buffer;
      readonly limit: number;
      readonly revision: string;
    };
    asked.push(at);
    await clock.advance(PAGE_MS);
    const { deadline } = how as { readonly deadline: number };
    if (clock.wallMs() > deadline) throw new Error("deadline exceeded");
    const rest = all.filter((one) => one >= key.toString());
    const kvs = rest.slice(0, limit).map((one) => ({
      key: Buffer.from(one),
      value: Buffer.from("x"),
      mod_revision: "3",
    }));
    // Somebody else writes meanwhile.
    revision += 1;
    const header = { revision: String(revision - 1) };
    return { header, kvs, more: rest.length > limit } as unknown as Awaited<
      ReturnType<KVClient["range"]>
    >;
  };
  return { clock, asked, kv: { range } as unknown as KVClient };
}

test("a store of many rows is read however long all of its pages take", async () => {
  const { clock, asked, kv } = slowMember(9000);
  const list = await listPrefix(kv, "/ipam/", () => ({ deadline: clock.wallMs() + TRY_MS }));
  assert.equal(list.rows.length, 9000);
  assert.equal(new Set(list.rows.map(({ key }) => key)).size, 9000);
  assert.equal(list.revision, 7n);
  assert.deepEqual(asked, ["0", "7", "7", "7", "7"]);
});

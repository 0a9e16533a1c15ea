// What nft refuses of the table of members, on a real kernel in a sandbox: a change that meets a
// table of somebody else's making is no refusal, one that cannot be had at all is told in nft's
// words with the line, and no address is one that nft takes for something else.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { type Address, addressFromValue, familyOf, present } from "@fairlead/model";
import { memberTableScript, type TableListener } from "@fairlead/render";
import { inSandbox, listenerOf, propertyRuns } from "@fairlead/testkit";
import fc from "fast-check";

import type { MemberTable, MemberTableView, TableSlot } from "../ports.ts";
import { until } from "./guard-stage.ts";
import { loadRules } from "./load-rules.ts";
import { fillBy, NFT, OPTIONS, run } from "./member-stage.ts";
import { createMemberTable } from "./member-table.ts";
import { slotsFromText } from "./slots-text.ts";

const fill = fillBy(listenerOf);
const WEB = "192.0.2.100:80/tcp";
const SHOP = "192.0.2.101:80/tcp";
const [FIRST, SECOND] = [["10.0.0.1:8080"], ["10.0.0.2:8080"]];

/** Who is nobody's table while it lives, and takes it along when it ends. */
const OWNED = "table inet fairlead_members { flags owner; }";

type Options = Parameters<typeof createMemberTable>[0];

/** A table of members without a monitor, so that nobody tells it what others do. */
async function open(
  stack: AsyncDisposableStack,
  more: Partial<Options> = {},
): Promise<{ readonly table: MemberTable & MemberTableView; readonly scriptFile: string }> {
  const folder = await mkdtempDisposable(join(tmpdir(), "fairlead-members-"));
  stack.use(folder);
  const scriptFile = join(folder.path, "members.nft");
  const options = { ...OPTIONS, placesFile: join(folder.path, "p"), scriptFile, ...more };
  const table = stack.use(await createMemberTable(options));
  return { table, scriptFile };
}

async function listed(): Promise<string> {
  return await run(NFT, ["list", "table", "inet", "fairlead_members"]);
}

/**
 * Most of them with zeros, ones and short groups, which nft might read as words of its own; not
 * those that it writes with an IPv4 address in them: of the mapped ones there are none here.
 */
const anyAddress: fc.Arbitrary<Address> = fc.oneof(
  fc.nat({ max: 2 ** 32 - 1 }).map((value) => addressFromValue("ipv4", BigInt(value))),
  fc
    .array(fc.oneof(fc.constantFrom(0, 0, 0, 1, 0xadd, 0xffff), fc.nat({ max: 0xffff })), {
      minLength: 8,
      maxLength: 8,
    })
    .filter(([a, b, c, d, e, f]) => [a, b, c, d, e].some(Boolean) || (f !== 0 && f !== 0xffff))
    .map((groups) => groups.reduce((value, group) => value * 65_536n + BigInt(group), 0n))
    .map((value) => addressFromValue("ipv6", value)),
);

/** Plays a kernel whose map has room for 30 slots; what it says is the real one's. */
const SMALL_NFT = `#!/bin/sh
case "$*" in *--file*) ;; *) exec '${NFT}' "$@" ;; esac
case "$*" in *--check*) check=--check ;; esac
for from; do :; done
sed 's/^  map turns4 { /&size 30; /' "$from" | exec '${NFT}' $check --file -
`;

inSandbox({ file: import.meta.url, name: "member-refusals", timeoutMs: 60_000 }, () => {
  test("a change that meets a flushed map is taken all the same, and others are as before", async () => {
    await using stack = new AsyncDisposableStack();
    const { table } = await open(stack);
    await fill(table, [
      [WEB, FIRST],
      [SHOP, FIRST],
    ]);
    await run(NFT, ["flush", "map", "inet", "fairlead_members", "slots4"]);
    await fill(table, [
      [WEB, SECOND],
      [SHOP, FIRST],
    ]);
    const slots = await table.slots();
    const found = new Set(slots.map(({ service, member }) => `${service} ${member}`));
    assert.equal(slots.length, 48);
    assert.deepEqual([...found].toSorted(), ["198.18.1.0 10.0.0.2", "198.18.1.1 10.0.0.1"]);
  });

  test("a change that meets maps of a small size is taken all the same", async () => {
    await using stack = new AsyncDisposableStack();
    const { table } = await open(stack);
    await fill(table, [[WEB, FIRST]]);
    const small = (await listed()).replace(/(map turns4 \{\n\s+typeof [^\n]+\n)/, "$1size 24\n");
    await run(NFT, ["-f", "-"], `delete table inet fairlead_members\n${small}`);
    assert.match(await listed(), /size 24/);
    await fill(table, [
      [WEB, FIRST],
      [SHOP, SECOND],
    ]);
    assert.equal((await table.slots()).length, 48);
  });

  test("a table that a stranger keeps to itself is told in nft's words, until it ends", async () => {
    await using stack = new AsyncDisposableStack();
    const { table, scriptFile } = await open(stack);
    await fill(table, [[WEB, FIRST]]);
    const stranger = spawn(NFT, ["-i"], { stdio: ["pipe", "ignore", "ignore"] });
    const gone = once(stranger, "exit");
    stack.defer(() => void stranger.kill());
    stranger.stdin.write(`delete table inet fairlead_members; ${OWNED}\n`);
    await until("it is the stranger's", async () => (await listed()).includes("flags owner"));
    const refused = `${scriptFile}.refused`;
    const message =
      "the table of members cannot be written: nft: Could not process rule: " +
      `Operation not permitted in ${refused}:1: table inet fairlead_members`;
    await assert.rejects(fill(table, [[WEB, SECOND]]), { code: "NFT", message });
    assert.match(await readFile(refused, "utf8"), /^table inet fairlead_members\n/);
    assert.equal(table.isLost, true, "nobody is led to a member");
    stranger.kill();
    await gone;
    await fill(table, [[WEB, SECOND]]);
    assert.equal(table.isLost, false);
    assert.deepEqual([...new Set((await table.slots()).map(({ member }) => member))], ["10.0.0.2"]);
  });

  test("an element that the kernel has no room for is told with its listener and its claim", async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "fairlead-nft-")));
    const nft = join(folder.path, "nft");
    await writeFile(nft, SMALL_NFT, { mode: 0o700 });
    const { table, scriptFile } = await open(stack, { nft });
    await fill(table, [[WEB, FIRST]]);
    const refused = `${scriptFile}.refused`;
    const element = "198.18.1.1 . 6 : 10.0.0.2 . 8080";
    const two: Parameters<typeof fill>[1] = [
      [WEB, FIRST],
      [SHOP, SECOND],
    ];
    await assert.rejects(fill(table, two), ({ message }: Error) => {
      const [, line = ""] = /:(\d+): /.exec(message) ?? [];
      const said =
        "the table of members cannot be written: nft: Could not process rule: Too many open " +
        `files in system in ${refused}:${line}: ${element}, of 192.0.2.101:80/TCP of default/web`;
      assert.equal(message, said);
      return true;
    });
    // All or nothing: it is as it was.
    assert.equal(table.isLost, false);
    assert.equal((await table.slots()).length, 24);
  });

  test("no address, port or slot is one that nft refuses or takes for something else", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(anyAddress, { minLength: 100, maxLength: 200 }),
        async (all) => {
          const listeners = all.map((service, at) => tableListener(all, service, at));
          const script = memberTableScript(OPTIONS.ranges, listeners, 1);
          assert.equal(await loadRules({ program: NFT, timeoutMs: 10_000 }, script), undefined);
          const wanted = listeners.flatMap(({ service, protocol, slots, takesTurns }) =>
            slots.flatMap(({ address, port }, at) => {
              const text = [service, protocol, at + 1, address, port].join(" ");
              // What the kernel chooses from, and of the first three what nginx names itself.
              return takesTurns ? [text, text] : [text];
            }),
          );
          assert.deepEqual(
            slotsFromText(await listed())
              .map(slotText)
              .toSorted(),
            wanted.toSorted(),
          );
        },
      ),
      { ...propertyRuns(30), endOnFailure: true },
    );
  });
});

/** A listener with up to three slots, of members of its service address's family. */
function tableListener(all: readonly Address[], service: Address, at: number): TableListener {
  const protocol = at % 2 === 0 ? "tcp" : "udp";
  const alike = all.filter((one) => familyOf(one) === familyOf(service));
  const slots = alike.slice(0, 3).map((member, slot) => {
    const port = 65_535 - 3 * at - slot;
    return { address: member, port, weight: 1, state: "active" as const };
  });
  const address = present(all[all.length - 1 - at], "as many as there are");
  const takesTurns = protocol === "tcp" && at % 4 === 0;
  return { service, address, port: (at * 331) % 65_536, protocol, slots, takesTurns };
}

function slotText({ service, protocol, slot, member, memberPort }: TableSlot): string {
  return [service, protocol, slot, member, memberPort].join(" ");
}

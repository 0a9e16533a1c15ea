// A table of members that others change, on a real kernel in a sandbox: what is news of its own
// changes, of events that were lost, and of a table that somebody flushes.

import assert from "node:assert/strict";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { createLogger, createSystemClock } from "@fairlead/runtime";
import { inSandbox, listenerOf } from "@fairlead/testkit";

import { listensTo, NFTABLES_GROUP } from "../netlink-groups.ts";
import { fillBy, NFT, OPTIONS, run } from "./member-stage.ts";
import { createMemberTable } from "./member-table.ts";
import { createNftMonitor, type NftMonitor } from "./nft-monitor.ts";

const fill = fillBy(listenerOf);
const { logger, random } = OPTIONS;

inSandbox({ file: import.meta.url, name: "member-drift", timeoutMs: 60_000 }, () => {
  test("lost events are nobody's change while the table is signed as it was left", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-members-"));
    const heard: Parameters<NftMonitor["onChange"]>[1][] = [];
    const monitor: Pick<NftMonitor, "onChange"> = {
      onChange: (_, listener) => {
        heard.push(listener);
        return { [Symbol.dispose]: () => undefined };
      },
    };
    const options = { ...OPTIONS, monitor, placesFile: join(folder.path, "p") };
    await using table = await createMemberTable(options);
    await fill(table, [["192.0.2.100:80/tcp", ["10.0.0.1:8080"]]]);
    await fill(table, [["192.0.2.100:80/tcp", ["10.0.0.2:8080"]]]);
    let drifts = 0;
    const drifted = Promise.withResolvers<void>();
    using _drift = table.onDrift(() => {
      drifts += 1;
      drifted.resolve();
    });
    const lose = (): void => {
      for (const listener of heard) listener({ revision: undefined, isLost: true });
    };
    lose();
    // The answer of nft that this begins after comes after that one's.
    await run(NFT, ["list", "tables"]);
    await table.slots();
    assert.equal(drifts, 0);
    await run(NFT, ["flush", "table", "inet", "fairlead_members"]);
    await run(NFT, ["delete", "table", "inet", "fairlead_members"]);
    lose();
    await drifted.promise;
    assert.equal(drifts, 1);
  });

  test("a table that somebody flushes is written anew, and its own changes are no news", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-members-"));
    const clock = createSystemClock();
    let mayListen = false;
    const isListening = (pid: number): boolean => mayListen && listensTo(NFTABLES_GROUP, pid);
    using monitor = createNftMonitor({ program: NFT, clock, logger, random, isListening });
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const told = createLogger({ level: "info", format: "text", destination });
    const placesFile = join(folder.path, "p");
    await using table = await createMemberTable({ ...OPTIONS, logger: told, monitor, placesFile });
    const entries: [string, string[]][] = [["192.0.2.100:80/tcp", ["10.0.0.1:8080"]]];
    let news = 0;
    let drifted = Promise.withResolvers<void>();
    using _ = table.onDrift(() => {
      news += 1;
      drifted.resolve();
    });
    await fill(table, entries);
    // What was before the monitor listened is unknown, and said once: every start blamed somebody.
    mayListen = true;
    await drifted.promise;
    assert.match(lines.join(""), /written anew: nobody watched it until now/);
    await fill(table, entries);
    await fill(table, [["192.0.2.100:80/tcp", ["10.0.0.2:8080"]]]);
    drifted = Promise.withResolvers();
    await run(NFT, ["flush", "map", "inet", "fairlead_members", "slots4"]);
    await drifted.promise;
    assert.equal(news, 2);
    assert.match(lines[1] ?? "", /written anew: somebody may have changed it/);
    await fill(table, [["192.0.2.100:80/tcp", ["10.0.0.2:8080"]]]);
    assert.match(
      await run(NFT, ["list", "table", "inet", "fairlead_members"]),
      /10\.0\.0\.2 \. 8080/,
    );
  });
});

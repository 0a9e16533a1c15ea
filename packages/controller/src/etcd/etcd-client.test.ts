// The connection to real etcds: users, certificates, lists of several pages, watches, and members
// that are dead, frozen or without a majority.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { suite, test } from "node:test";

import { type EtcdCluster, startEtcdCluster } from "@fairlead/lab";
import { present } from "@fairlead/model";
import { createSystemClock, isEdgeError } from "@fairlead/runtime";

import { toolPath } from "../../../../test/tools/tool-path.ts";
import { type EtcdAccess, readEtcdUrls } from "./etcd-access.ts";
import { createEtcdClient, type EtcdClient } from "./etcd-client.ts";
import type { EtcdError } from "./etcd-errors.ts";
import type { EtcdKeyChange } from "./etcd-watch.ts";

const program = toolPath("etcd", "server");
const clock = createSystemClock();

function connect(
  { urls }: { readonly urls: readonly string[] },
  more: Partial<EtcdAccess> = {},
): EtcdClient {
  const read = readEtcdUrls(`etcd:${urls.join(",")}`);
  assert.ok(read.kind === "ok");
  return createEtcdClient({ access: { ...read.access, ...more }, clock });
}

const put = (client: EtcdClient, key: string, value: string): Promise<unknown> =>
  client.transact({ conditions: [], changes: [{ key, value }] });

const isForbidden = (error: unknown): boolean => isEdgeError(error, "FORBIDDEN");

test("a user may do what its role says, and nobody else may do anything", async () => {
  await using etcd = await startEtcdCluster({ program });
  await addUsers(etcd);
  using client = connect(etcd, { user: { name: "lb", password: "secret" } });
  await put(client, "/fairlead/x", "1");
  assert.equal((await client.list("/fairlead/")).rows.length, 1);
  await assert.rejects(put(client, "/other", "1"), (error) => {
    assert.ok(isForbidden(error));
    assert.match(String(error), /the user lacks a right$/);
    return true;
  });
  const strangers = [undefined, { name: "lb", password: "s3cr3t" }, { name: "no", password: "x" }];
  for (const user of strangers) {
    using stranger = connect(etcd, user === undefined ? {} : { user });
    await assert.rejects(put(stranger, "/fairlead/x", "2"), (error) => {
      assert.ok(isForbidden(error), String(error));
      assert.doesNotMatch(String(error), /s3cr3t/);
      return true;
    });
  }
});

test("a member that is silent when a user logs in costs a moment", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket));
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  try {
    await using etcd = await startEtcdCluster({ program });
    await addUsers(etcd);
    const urls = [`http://127.0.0.1:${port}`, ...etcd.urls];
    using client = connect({ urls }, { user: { name: "lb", password: "secret" } });
    const lists = await Promise.all([client.list("/fairlead/"), client.list("/fairlead/")]);
    assert.deepEqual(
      lists.map(({ rows }) => rows),
      [[], []],
    );
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});

test("certificates are asked for on both sides", async () => {
  await using etcd = await startEtcdCluster({ program, tls: true });
  const { caPem, certificatePem, keyPem } = present(etcd.tls, "it has TLS");
  using client = connect(etcd, { tls: { caPem, certificatePem, keyPem } });
  await put(client, "/fairlead/x", "1");
  for (const tls of [{ caPem }, { certificatePem, keyPem }]) {
    using stranger = connect(etcd, { tls });
    await assert.rejects(put(stranger, "/fairlead/x", "2"), (error) =>
      isEdgeError(error, "UNREACHABLE"),
    );
  }
});

suite("lists and watches", () => {
  test("a list of several pages is of one moment, and a watch goes on from there", async () => {
    await using etcd = await startEtcdCluster({ program });
    using client = connect(etcd);
    for (let page = 0; page < 40; page += 1) {
      const changes = Array.from({ length: 120 }, (_, index) => ({
        key: `/many/${page}-${index}`,
        value: "x",
      }));
      await client.transact({ conditions: [], changes });
    }
    await put(client, "/manz", "not below it");
    const { rows, revision } = await client.list("/many/");
    assert.equal(rows.length, 4800);
    assert.equal(new Set(rows.map(({ key }) => key)).size, 4800);
    const seen = await follow(client, revision + 1n);
    await put(client, "/many/new", "y");
    await client.transact({ conditions: [], changes: [{ key: "/many/0-0", value: undefined }] });
    assert.deepEqual(
      (await seen.until(2)).map((change) =>
        change.kind === "put" ? `${change.row.key}=${change.row.value}` : `-${change.key}`,
      ),
      ["/many/new=y", "-/many/0-0"],
    );
    await etcd.compact();
    const late = await follow(client, revision);
    assert.equal((await late.ended).code, "COMPACTED");
    const [member] = etcd.members;
    await member?.kill();
    assert.equal((await seen.ended).code, "UNREACHABLE");
    await assert.rejects(follow(client, revision), (error) => isEdgeError(error, "UNREACHABLE"));
  });
});

suite("three members", () => {
  test("one that dies or freezes costs a moment, two cost the writes", async () => {
    await using etcd = await startEtcdCluster({ program, members: 3 });
    using client = connect(etcd);
    await put(client, "/x", "1");
    const leader = await etcd.leader();
    await leader.kill();
    await eventually(() => put(client, "/x", "2"));
    const [one, other] = etcd.members.filter((member) => member !== leader);
    await present(one, "a second member").freeze();
    await assert.rejects(put(client, "/x", "3"), (error) => {
      assert.ok(isEdgeError(error, "TIMEOUT") || isEdgeError(error, "UNREACHABLE"), String(error));
      assert.match(error.message, /^cannot write etcd at http/);
      return true;
    });
    one?.resume();
    await eventually(() => put(client, "/x", "4"));
    await present(other, "a third member").kill();
    await Promise.all([leader.start(), other?.start()]);
    await put(client, "/x", "5");
    assert.deepEqual(await etcd.keys("/x"), [{ key: "/x", value: "5" }]);
  });
});

/** While members elect a leader, tries fail; each takes a second or two by itself. */
async function eventually(run: () => Promise<unknown>): Promise<void> {
  for (let left = 5; ; left -= 1) {
    try {
      await run();
      return;
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

interface Followed {
  readonly ended: Promise<EtcdError>;
  until(changes: number): Promise<readonly EtcdKeyChange[]>;
}

async function follow(client: EtcdClient, revision: bigint): Promise<Followed> {
  const changes: EtcdKeyChange[] = [];
  let look = (): void => undefined;
  const { promise: ended, resolve: onEnd } = Promise.withResolvers<EtcdError>();
  await client.watch({
    prefix: "/many/",
    revision,
    onChanges: (news) => {
      changes.push(...news);
      look();
    },
    onEnd,
  });
  return {
    ended,
    until: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (changes.length >= count) resolve(changes);
        };
        look();
      }),
  };
}

async function addUsers(etcd: EtcdCluster): Promise<void> {
  const encode = (text: string): string => Buffer.from(text).toString("base64");
  const perm = {
    permType: "READWRITE",
    key: encode("/fairlead/"),
    range_end: encode("/fairlead0"),
  };
  await etcd.ask("/v3/auth/user/add", { name: "root", password: "root" });
  await etcd.ask("/v3/auth/user/grant", { user: "root", role: "root" });
  await etcd.ask("/v3/auth/role/add", { name: "lb" });
  await etcd.ask("/v3/auth/role/grant", { name: "lb", perm });
  await etcd.ask("/v3/auth/user/add", { name: "lb", password: "secret" });
  await etcd.ask("/v3/auth/user/grant", { user: "lb", role: "lb" });
  await etcd.ask("/v3/auth/enable", {});
}

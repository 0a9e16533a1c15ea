// An access against real servers: certificates, tokens, their rotation, and one agent for all.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createFakeClock, type FakeClock, isEdgeError } from "@fairlead/runtime";
import { ask, startEchoServer } from "./echo-server.ts";
import { createKubeAccess, type KubeAccess } from "./kube-access.ts";
import { type KubeconfigParts, toBase64, writeKubeconfig } from "./kubeconfig-text.ts";
import { loadKubeAccess } from "./load-kube-access.ts";
import { makeAuthority } from "./made-certificates.ts";
import { readKubeconfig } from "./read-kubeconfig.ts";

const ROOT = mkdtempSync(join(tmpdir(), "fairlead-kubeconfig-"));
after(() => rmSync(ROOT, { recursive: true, force: true }));
const AUTHORITY = makeAuthority(ROOT);
const SERVER = AUTHORITY.issue({ name: "apiserver" });
const CA = { "certificate-authority-data": toBase64(AUTHORITY.ca) };

interface Opened extends Disposable {
  readonly access: KubeAccess;
  readonly clock: FakeClock;
  /** Writes a file beside the kubeconfig. */
  readonly write: (name: string, text: string) => void;
}

/** An access whose clock is the test's. */
function open(parts: KubeconfigParts, files: Readonly<Record<string, string>> = {}): Opened {
  const folder = mkdtempSync(join(ROOT, "case-"));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  const clock = createFakeClock({ wallMs: Date.now() });
  const config = readKubeconfig(writeKubeconfig(folder, parts), undefined);
  const access = createKubeAccess({ config, env: process.env, clock });
  return { access, clock, write, [Symbol.dispose]: () => access.close() };
}

const isCredentials = (words: RegExp) => (error: unknown) =>
  isEdgeError(error, "CREDENTIALS") && words.test(error.message);

test("a client certificate in the file reaches the server, on one connection", async () => {
  await using server = await startEchoServer(SERVER);
  const admin = AUTHORITY.issue({ name: "admin" });
  const path = writeKubeconfig(ROOT, {
    cluster: { server: `https://127.0.0.1:${server.port}/`, ...CA },
    user: {
      "client-certificate-data": toBase64(admin.certificate),
      "client-key-data": toBase64(admin.key),
    },
  });
  const access = loadKubeAccess({ kubeconfig: path });
  try {
    assert.equal(access.server, `https://127.0.0.1:${server.port}`);
    assert.equal(access.context, "here");
    const first = await ask(access);
    const second = await ask(access);
    assert.equal(first.client, "admin");
    assert.equal(second.port, first.port, "the connection is used again");
  } finally {
    access.close();
  }
});

test("the context that is asked for is used, and not the one that the file has in use", async () => {
  await using server = await startEchoServer(SERVER);
  const admin = AUTHORITY.issue({ name: "admin" });
  const path = join(mkdtempSync(join(ROOT, "case-")), "config");
  const config = {
    kind: "Config",
    "current-context": "here",
    clusters: [
      { name: "home", cluster: { server: "https://127.0.0.1:1" } },
      { name: "away", cluster: { server: `https://127.0.0.1:${server.port}`, ...CA } },
    ],
    users: [
      { name: "me", user: { token: "mine" } },
      {
        name: "other",
        user: {
          "client-certificate-data": toBase64(admin.certificate),
          "client-key-data": toBase64(admin.key),
        },
      },
    ],
    contexts: [
      { name: "here", context: { cluster: "home", user: "me" } },
      { name: "there", context: { cluster: "away", user: "other" } },
    ],
  };
  writeFileSync(path, JSON.stringify(config));
  const access = loadKubeAccess({ kubeconfig: path, context: "there" });
  try {
    assert.deepEqual(
      [access.context, access.server],
      ["there", `https://127.0.0.1:${server.port}`],
    );
    const { client, headers } = await ask(access);
    assert.deepEqual([client, headers["authorization"]], ["admin", undefined]);
  } finally {
    access.close();
  }
});

test("a rotated client certificate is used by the next connection", async () => {
  await using server = await startEchoServer(SERVER);
  const [old, fresh] = [AUTHORITY.issue({ name: "old" }), AUTHORITY.issue({ name: "fresh" })];
  using opened = open(
    {
      cluster: { server: `https://127.0.0.1:${server.port}`, ...CA },
      user: { "client-certificate": "tls.crt", "client-key": "tls.key" },
    },
    { "tls.crt": old.certificate, "tls.key": old.key },
  );
  const { access, clock, write } = opened;
  const first = await ask(access);
  assert.equal(first.client, "old");
  write("tls.crt", fresh.certificate);
  await clock.advance(5_000);
  assert.equal((await ask(access)).client, "old", "half of a rotation changes nothing");
  write("tls.key", fresh.key);
  assert.equal((await ask(access)).client, "old", "files are not read with every request");
  await clock.advance(5_000);
  const last = await ask(access);
  assert.equal(last.client, "fresh");
  assert.notEqual(last.port, first.port);
  assert.equal((await ask(access)).port, last.port);
});

test("a rotated authority is believed, and the old one no longer", async () => {
  const other = makeAuthority(ROOT);
  await using before = await startEchoServer(SERVER);
  await using renewed = await startEchoServer(other.issue({ name: "apiserver" }));
  const server = `https://127.0.0.1:${before.port}`;
  using opened = open(
    { cluster: { server, "certificate-authority": "./ca.crt" } },
    { "ca.crt": AUTHORITY.ca },
  );
  const { access, clock, write } = opened;
  await ask(access);
  const elsewhere = { ...access, server: `https://127.0.0.1:${renewed.port}` };
  await assert.rejects(ask(elsewhere), /certificate/);
  write("ca.crt", other.ca);
  await clock.advance(5_000);
  await ask(elsewhere);
  await assert.rejects(ask(access), /certificate/, "no connection of before is used");
});

test("the last good certificate is used until its end, and then its files are blamed", async () => {
  const admin = AUTHORITY.issue({ name: "admin" });
  using opened = open(
    {
      cluster: { server: "https://127.0.0.1:1" },
      user: { "client-certificate": "tls.crt", "client-key": "tls.key" },
    },
    { "tls.crt": admin.certificate, "tls.key": admin.key },
  );
  const { access, clock, write } = opened;
  write("tls.crt", "rubbish");
  assert.equal((await access.requestOptions()).cert, admin.certificate);
  await clock.advance(3 * 86_400_000);
  await assert.rejects(access.requestOptions(), /tls\.crt.* holds no certificate/);
  write("tls.crt", admin.certificate);
  await clock.advance(5_000);
  await assert.rejects(access.requestOptions(), isCredentials(/expired on 20\d\d-.*new one/));
});

test("a token file is read again, and its absence is told until it is back", async () => {
  await using server = await startEchoServer();
  using opened = open(
    {
      cluster: { server: `http://127.0.0.1:${server.port}/k8s/clusters/a/` },
      user: { tokenFile: "token", token: "loses" },
    },
    { token: "first\n" },
  );
  const { access, clock, write } = opened;
  const seen = await ask(access);
  assert.equal(seen.headers["authorization"], "Bearer first");
  assert.equal(seen.path, "/k8s/clusters/a/version");
  write("token", "second");
  assert.equal((await ask(access)).headers["authorization"], "Bearer first");
  await clock.advance(3_000);
  assert.equal((await ask(access)).headers["authorization"], "Bearer second");
  write("token", " \n");
  await clock.advance(3_000);
  await assert.rejects(ask(access), isCredentials(/token file ".*token" is empty/));
  write("token", "two\nlines");
  await clock.advance(3_000);
  await assert.rejects(ask(access), (error: Error) => {
    assert.match(error.message, /characters that Authorization cannot carry/);
    assert.doesNotMatch(error.message, /lines/);
    return isEdgeError(error, "CREDENTIALS");
  });
});

test("a token file that is not there", async () => {
  using opened = open({ cluster: { server: "https://a" }, user: { tokenFile: "no/token" } });
  await assert.rejects(
    opened.access.requestOptions(),
    isCredentials(/token file ".*\/no\/token": it does not exist/),
  );
});

const SENT: readonly {
  readonly name: string;
  readonly user: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
}[] = [
  { name: "a token", user: { token: "abc" }, headers: { authorization: "Bearer abc" } },
  {
    name: "a user name with a password",
    user: { username: "me", password: "pw" },
    headers: { authorization: `Basic ${toBase64("me:pw")}` },
  },
  {
    name: "whom to act as",
    user: {
      as: "jane",
      "as-uid": "7",
      "as-groups": ["dev", "ops"],
      "as-user-extra": { "a/b": ["c"] },
    },
    headers: {
      "impersonate-user": "jane",
      "impersonate-uid": "7",
      "impersonate-group": "dev, ops",
      "impersonate-extra-a%2fb": "c",
    },
  },
];
for (const c of SENT) {
  test(`sent: ${c.name}`, async () => {
    await using server = await startEchoServer();
    const cluster = { server: `http://127.0.0.1:${server.port}` };
    using opened = open({ cluster, user: c.user });
    const { headers } = await ask(opened.access);
    for (const [name, value] of Object.entries(c.headers)) assert.equal(headers[name], value);
  });
}

test("insecure-skip-tls-verify believes any server, also with no user", async () => {
  await using server = await startEchoServer(SERVER);
  const cluster = { server: `https://127.0.0.1:${server.port}` };
  using strict = open({ cluster });
  await assert.rejects(ask(strict.access), /certificate/);
  using lax = open({ cluster: { ...cluster, "insecure-skip-tls-verify": true } });
  await ask(lax.access);
});

test("tls-server-name is the name that is asked for and checked", async () => {
  await using server = await startEchoServer(SERVER);
  const cluster = { server: `https://localhost:${server.port}`, ...CA };
  using wrong = open({ cluster: { ...cluster, "tls-server-name": "other" } });
  await assert.rejects(ask(wrong.access), /other/);
  using right = open({ cluster: { ...cluster, "tls-server-name": "apiserver" } });
  assert.equal((await ask(right.access)).servername, "apiserver");
});

test("a caller's headers are its own", async () => {
  using opened = open({ cluster: { server: "https://a" }, user: { token: "abc" } });
  const first = await opened.access.requestOptions();
  Object.assign(first.headers ?? {}, { Accept: "mine" });
  const second = await opened.access.requestOptions();
  assert.deepEqual(second.headers, { Authorization: "Bearer abc" });
  assert.equal(second.agent, first.agent);
});

test("a closed access refuses", async () => {
  const opened = open({ cluster: { server: "https://a" } });
  opened.access.close();
  await assert.rejects(opened.access.requestOptions(), isCredentials(/was closed/));
});

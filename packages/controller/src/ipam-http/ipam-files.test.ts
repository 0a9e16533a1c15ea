// CAs and tokens of IPAMs, on real files and real TLS: who is trusted, who gets which token, that
// files are read again, and what is said where it goes wrong. No token is ever said.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import { type PoolName, parsePoolName, present } from "@fairlead/model";
import { isEdgeError } from "@fairlead/runtime";

import type { IpamAccount } from "../registrar/ports.ts";
import { createHttpIpamClient, type HttpIpamClient } from "./http-ipam-client.ts";
import { readIpamFiles } from "./ipam-files.ts";

const UUID = "d0000000-0000-4000-8000-000000000001";
const NOW_MS = Date.UTC(2026, 0, 2);
const GOOD = "t0ken-of-ours";
const [LAN, DMZ] = [poolOf("lan"), poolOf("dmz")];

interface Stage extends AsyncDisposable {
  readonly client: HttpIpamClient;
  /** The IPAM, for a pool named lan. */
  readonly account: IpamAccount;
  /** The folder of the IPAM's host. */
  readonly folder: string;
  /** The certificate that the IPAM shows, which is its own authority. */
  readonly certificate: string;
  /** What it was asked with, one a request. */
  readonly tokens: readonly (string | undefined)[];
  /** The status of its answers from now on. */
  answer(status: number): void;
}

/** An IPAM that takes one token, behind TLS of its own or none. */
async function makeStage({ days = 2, isSecure = true } = {}): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const root = mkdtempSync(join(tmpdir(), "fairlead-ipam-files-"));
  stack.defer(() => rmSync(root, { recursive: true, force: true }));
  const own = makeCertificate(root, days);
  const tokens: (string | undefined)[] = [];
  let status: number | undefined;
  const listener: Parameters<typeof createHttpServer>[1] = (request, response) => {
    const token = request.headers.authorization;
    tokens.push(token);
    response.writeHead(status ?? (token === `Bearer ${GOOD}` ? 204 : 401)).end();
  };
  const server = isSecure
    ? createServer({ key: own.key, cert: own.certificate }, listener)
    : createHttpServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const at = server.address();
  assert.ok(typeof at === "object" && at !== null);
  const folder = join(root, "files", `127.0.0.1_${at.port}`);
  mkdirSync(folder, { recursive: true });
  const clock = { wallMs: () => NOW_MS };
  const client = stack.use(createHttpIpamClient({ filesDir: join(root, "files"), clock }));
  return {
    client,
    account: { url: `${isSecure ? "https" : "http"}://127.0.0.1:${at.port}`, pool: LAN },
    folder,
    certificate: own.certificate,
    tokens,
    answer: (next) => {
      status = next;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test("its own CA and the token are read for each request", async () => {
  await using stage = await makeStage();
  const { client, account, folder } = stage;
  const ca = join(folder, "ca.crt");
  await assert.rejects(
    client.release(account, UUID),
    says("UNTRUSTED", `not trusted by this host`, ca),
  );
  writeFileSync(ca, stage.certificate);
  const token = join(folder, "token");
  await assert.rejects(client.release(account, UUID), says("FORBIDDEN", "without a token", token));
  writeFileSync(token, "old\n");
  await assert.rejects(
    client.release(account, UUID),
    says("FORBIDDEN", "it refuses the token", token),
  );
  writeFileSync(token, `${GOOD}\n`);
  await client.release(account, UUID);
  assert.deepEqual(stage.tokens, [undefined, "Bearer old", `Bearer ${GOOD}`]);
  writeFileSync(ca, makeCertificate(folder).certificate);
  const otherCa = says("UNTRUSTED", `not trusted by ${ca}`, "");
  await assert.rejects(
    client.release(account, UUID),
    otherCa,
    "a connection of before is not used",
  );
});

test("a pool with a token of its own is asked for with that, and no other pool is", async () => {
  await using stage = await makeStage({ isSecure: false });
  const { client, account, folder } = stage;
  const dmz = { ...account, pool: DMZ };
  writeFileSync(join(folder, "lan.token"), GOOD);
  await client.release(account, UUID);
  const shared = join(folder, "token");
  await assert.rejects(client.release(dmz, UUID), says("FORBIDDEN", "without a token", shared));
  writeFileSync(shared, "of-all");
  const own = join(folder, "lan.token");
  await assert.rejects(client.release(dmz, UUID), says("FORBIDDEN", "it refuses", shared));
  await client.release(account, UUID);
  writeFileSync(own, "old");
  await assert.rejects(client.release(account, UUID), says("FORBIDDEN", "it refuses", own));
  rmSync(own);
  await assert.rejects(client.release(account, UUID), says("FORBIDDEN", "it refuses", shared));
  const sent = [GOOD, undefined, "of-all", GOOD, "old", "of-all"];
  assert.deepEqual(
    stage.tokens,
    sent.map((token) => token && `Bearer ${token}`),
  );
  // No file can have that name, so the pool has none of its own.
  const long = poolOf([63, 63, 63, 61].map((length) => "a".repeat(length)).join("."));
  stage.answer(204);
  await client.release({ ...account, pool: long }, UUID);
  assert.equal(stage.tokens.at(-1), "Bearer of-all");
});

suite("what goes wrong is said by the file's name", () => {
  const expired = `e30.${Buffer.from('{"exp":1767225600}').toString("base64url")}.c2ln`;
  const odd = `e30.${Buffer.from('{"exp":1e300}').toString("base64url")}.c2ln`;
  const cases = [
    {
      name: "a token that has expired",
      token: expired,
      why: "expired at 2026-01-01T00:00:00.000Z",
    },
    { name: "a token whose end is no time", token: odd, why: "it refuses the token in" },
    { name: "a token without the right", token: GOOD, status: 403, why: "does not suffice" },
    { name: "a token of two lines", token: "a\nb", code: "UNREADABLE", why: "cannot be used" },
    { name: "an empty token", token: "", code: "UNREADABLE", why: "cannot be used" },
    { name: "a CA that is none", ca: "x", code: "UNREADABLE", why: "holds no certificate in PEM" },
    { name: "a token that is a folder", isFolder: true, code: "UNREADABLE", why: "cannot read" },
  ];
  for (const one of cases) {
    const { name, token, status, ca, isFolder, code = "FORBIDDEN", why } = one;
    test(name, async () => {
      await using stage = await makeStage({ isSecure: false });
      const { client, account, folder } = stage;
      if (status !== undefined) stage.answer(status);
      const path = join(folder, ca === undefined ? "token" : "ca.crt");
      if (isFolder === true) mkdirSync(path);
      else writeFileSync(path, ca ?? token ?? "");
      await assert.rejects(client.renew(account, [UUID]), (error) => {
        assert.ok(says(code, why, path)(error));
        const text = token?.trim() ?? "";
        assert.ok(text === "" || !String(error).includes(text), "the token is not said");
        return true;
      });
    });
  }

  test("a certificate that has expired", async () => {
    await using stage = await makeStage({ days: -1 });
    writeFileSync(join(stage.folder, "ca.crt"), stage.certificate);
    const why = says("UNTRUSTED", "its certificate has expired", "");
    await assert.rejects(stage.client.release(stage.account, UUID), why);
  });
});

suite("a token goes to the host alone that it is of", () => {
  test("another port of it gets none", async () => {
    await using stage = await makeStage({ isSecure: false });
    await using other = await makeStage({ isSecure: false });
    writeFileSync(join(stage.folder, "token"), GOOD);
    const why = says("FORBIDDEN", "without a token", "");
    await assert.rejects(stage.client.release(other.account, UUID), why);
    assert.deepEqual(other.tokens, [undefined]);
  });

  test("and never in clear text over a network", async () => {
    using files = makeFiles("192.0.2.9");
    const url = new URL("http://192.0.2.9/ipam");
    const why = says("UNREADABLE", "is not sent in clear text", "token");
    await assert.rejects(readIpamFiles(files.dir, url, LAN), why);
    const { token } = await readIpamFiles(files.dir, new URL("https://192.0.2.9/ipam"), LAN);
    assert.equal(token, GOOD);
  });

  const names = [
    ["https://ipam.example.net/x", "ipam.example.net"],
    ["https://IPAM.example.net:443", "ipam.example.net"],
    ["https://ipam.example.net:8443", "ipam.example.net_8443"],
    ["https://[2001:DB8::1]:8443", "2001-db8--1_8443"],
  ] as const;
  for (const [url, folder] of names) {
    test(`${url} is asked with what is in ${folder}`, async () => {
      using files = makeFiles(folder);
      assert.equal((await readIpamFiles(files.dir, new URL(url), LAN)).token, GOOD);
    });
  }

  test("a name that leads out of the folder has no files", async () => {
    using files = makeFiles("a/b");
    writeFileSync(join(files.dir, "token"), GOOD);
    writeFileSync(join(files.dir, "a", "token"), GOOD);
    const read = async (url: string): Promise<string | undefined> =>
      (await readIpamFiles(join(files.dir, "a"), new URL(url), LAN)).token;
    assert.equal(await read("https://b"), GOOD);
    assert.equal(await read("https://.."), undefined);
    assert.equal(await read("https://."), undefined);
  });
});

/** A folder of files, with a token in one below it. */
function makeFiles(name: string): Disposable & { readonly dir: string } {
  const dir = mkdtempSync(join(tmpdir(), "fairlead-ipam-files-"));
  mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, name, "token"), GOOD);
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

function says(code: string, why: string, path: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isEdgeError(error, code), String(error));
    assert.ok(error.message.includes(why), error.message);
    assert.ok(error.message.includes(path), error.message);
    return true;
  };
}

/** A certificate for 127.0.0.1 that signs itself. */
function makeCertificate(root: string, days = 2): { key: string; certificate: string } {
  const cwd = mkdtempSync(join(root, "certificate-"));
  const openssl = (...args: readonly string[]): void => {
    execFileSync("openssl", args, { cwd, stdio: "pipe" });
  };
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const names = ["-subj", "/CN=ipam", "-addext", "subjectAltName=IP:127.0.0.1"];
  openssl("req", ...curve, "-keyout", "key", "-out", "csr", ...names);
  const signed = ["-signkey", "key", "-copy_extensions", "copy", "-days", String(days)];
  openssl("x509", "-req", "-in", "csr", ...signed, "-out", "crt");
  const read = (name: string): string => readFileSync(join(cwd, name), "utf8");
  return { key: read("key"), certificate: read("crt") };
}

function poolOf(name: string): PoolName {
  return present(parsePoolName(name), "a pool");
}

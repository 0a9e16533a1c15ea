// Credential plugins: shell scripts that note each run, through whole accesses.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createFakeClock, type FakeClock, isEdgeError } from "@fairlead/runtime";
import { ask, startEchoServer } from "./echo-server.ts";
import { createKubeAccess, type KubeAccess } from "./kube-access.ts";
import { toBase64, writeKubeconfig } from "./kubeconfig-text.ts";
import { makeAuthority, type MadeCertificate } from "./made-certificates.ts";
import { readKubeconfig } from "./read-kubeconfig.ts";

const ROOT = mkdtempSync(join(tmpdir(), "fairlead-kubeconfig-"));
after(() => rmSync(ROOT, { recursive: true, force: true }));
const AUTHORITY = makeAuthority(ROOT);
const SECRET = "hunter2hunter2";
const START_MS = Date.parse("2026-06-01T00:00:00Z");

interface Plugin extends Disposable {
  readonly access: KubeAccess;
  readonly clock: FakeClock;
  /** How often it ran. */
  runs(): number;
  /** Replaces what it does. */
  become(script: string): void;
  /** What KUBERNETES_EXEC_INFO was in its last run. */
  info(): unknown;
}

interface PluginOptions {
  readonly script: string;
  readonly exec?: Readonly<Record<string, unknown>>;
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly wallMs?: number;
}

/** An access whose credentials come from a shell script beside the kubeconfig. */
function plugin(options: PluginOptions): Plugin {
  const folder = mkdtempSync(join(ROOT, "case-"));
  const become = (script: string): void => {
    const note = `echo run >>${folder}/runs\nprintf %s "$KUBERNETES_EXEC_INFO" >${folder}/info\n`;
    writeFileSync(join(folder, "plugin"), `#!/bin/sh\n${note}${script}\n`, { mode: 0o755 });
  };
  become(options.script);
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "./plugin" };
  const path = writeKubeconfig(folder, {
    cluster: options.cluster ?? { server: "https://10.0.0.1" },
    user: { exec: { ...exec, ...options.exec } },
  });
  const clock = createFakeClock({ wallMs: options.wallMs ?? START_MS });
  const config = readKubeconfig(path, undefined);
  const access = createKubeAccess({ config, env: process.env, clock });
  const lines = (): readonly string[] =>
    existsSync(join(folder, "runs"))
      ? readFileSync(join(folder, "runs"), "utf8").split("\n")
      : [""];
  return {
    access,
    clock,
    runs: () => lines().length - 1,
    become,
    info: () => JSON.parse(readFileSync(join(folder, "info"), "utf8")) as unknown,
    [Symbol.dispose]: () => access.close(),
  };
}

/** A script that answers with a status. */
function answer(status: Readonly<Record<string, unknown>>): string {
  const apiVersion = "client.authentication.k8s.io/v1";
  return `cat <<'END'\n${JSON.stringify({ apiVersion, kind: "ExecCredential", status })}\nEND`;
}

async function authorization(access: KubeAccess): Promise<unknown> {
  const { headers } = await access.requestOptions();
  return (headers as Readonly<Record<string, unknown>> | undefined)?.["Authorization"];
}

test("refused credentials are asked for again, and not with each refusal", async () => {
  const expirationTimestamp = "2026-06-02T00:00:00Z";
  using tried = plugin({ script: answer({ token: "revoked", expirationTimestamp }) });
  const { access, clock } = tried;
  assert.equal(await authorization(access), "Bearer revoked");
  tried.become(answer({ token: "fresh", expirationTimestamp }));
  access.refused();
  assert.equal(await authorization(access), "Bearer fresh");
  for (let second = 0; second < 12; second += 1) {
    access.refused();
    assert.equal(await authorization(access), "Bearer fresh");
    await clock.advance(1_000);
  }
  assert.equal(tried.runs(), 5, "a server that always refuses starts it every three seconds");
});

test("a refusal while a plugin runs starts no second one", async () => {
  using tried = plugin({ script: answer({ token: "first" }) });
  const running = authorization(tried.access);
  tried.access.refused();
  assert.equal(await authorization(tried.access), "Bearer first");
  assert.equal(await running, "Bearer first");
  assert.equal(tried.runs(), 1);
});

test("a token is kept until it expires, to the millisecond", async () => {
  const expirationTimestamp = "2026-06-01T00:01:00Z";
  using tried = plugin({ script: answer({ token: "first", expirationTimestamp }) });
  assert.equal(await authorization(tried.access), "Bearer first");
  tried.become(answer({ token: "second", expirationTimestamp: "2026-06-01T01:00:00Z" }));
  await tried.clock.advance(58_000);
  assert.equal(await authorization(tried.access), "Bearer first");
  await tried.clock.advance(1_999);
  assert.equal(await authorization(tried.access), "Bearer first");
  assert.equal(tried.runs(), 1);
  await tried.clock.advance(1);
  assert.equal(await authorization(tried.access), "Bearer second");
  assert.equal(tried.runs(), 2);
});

test("a token without an end is asked for again after ten minutes", async () => {
  using tried = plugin({ script: answer({ token: "first" }) });
  await tried.access.requestOptions();
  await tried.clock.advance(9 * 60_000);
  await tried.access.requestOptions();
  assert.equal(tried.runs(), 1);
  await tried.clock.advance(60_000);
  await tried.access.requestOptions();
  assert.equal(tried.runs(), 2);
});

test("a hundred requests share one run, and the loop goes on meanwhile", async () => {
  using tried = plugin({ script: `sleep 0.2\n${answer({ token: "shared" })}` });
  let isDone = false;
  let turns = 0;
  const asked = Promise.all(Array.from({ length: 100 }, () => authorization(tried.access)));
  const marked = asked.finally(() => (isDone = true));
  while (!isDone) {
    turns += 1;
    await setImmediate();
  }
  assert.deepEqual(new Set(await marked), new Set(["Bearer shared"]));
  assert.equal(tried.runs(), 1);
  assert.ok(turns > 100, `the loop turned ${turns} times`);
});

test("a failed run is told to everybody, and tried again after three seconds", async () => {
  using tried = plugin({ script: "exit 3" });
  for (let each = 0; each < 10; each += 1) {
    await assert.rejects(tried.access.requestOptions(), /ended with code 3/);
  }
  assert.equal(tried.runs(), 1);
  tried.become(answer({ token: "back" }));
  await tried.clock.advance(3_000);
  assert.equal(await authorization(tried.access), "Bearer back");
});

test("a certificate of a plugin reaches the server", async () => {
  await using server = await startEchoServer(AUTHORITY.issue({ name: "apiserver" }));
  const issued = AUTHORITY.issue({ name: "issued" });
  using tried = plugin({
    script: answer({ clientCertificateData: issued.certificate, clientKeyData: issued.key }),
    cluster: {
      server: `https://127.0.0.1:${server.port}`,
      "certificate-authority-data": toBase64(AUTHORITY.ca),
    },
    wallMs: Date.now(),
  });
  assert.equal((await ask(tried.access)).client, "issued");
});

test("a plugin is told its version, and its cluster when it asks for that", async () => {
  using plain = plugin({ script: answer({ token: "a" }) });
  await plain.access.requestOptions();
  const apiVersion = "client.authentication.k8s.io/v1";
  const kind = "ExecCredential";
  assert.deepEqual(plain.info(), { apiVersion, kind, spec: { interactive: false } });
  using told = plugin({ script: answer({ token: "a" }), exec: { provideClusterInfo: true } });
  await told.access.requestOptions();
  const cluster = { server: "https://10.0.0.1" };
  assert.deepEqual(told.info(), { apiVersion, kind, spec: { interactive: false, cluster } });
});

test("arguments and variables reach the plugin as they are written", async () => {
  const print = `printf '{"kind":"ExecCredential","status":{"token":"%s"}}' "$1-$EXTRA"`;
  using tried = plugin({
    script: print,
    exec: { args: ["$(id) one"], env: [{ name: "EXTRA", value: "two" }] },
  });
  assert.equal(await authorization(tried.access), "Bearer $(id) one-two");
});

const made: MadeCertificate = AUTHORITY.issue({ name: "made" });
const expired: MadeCertificate = AUTHORITY.issue({ name: "expired", days: -1 });
const cases: readonly { readonly name: string; readonly script: string; readonly says: RegExp }[] =
  [
    {
      name: "it says no, with a secret",
      script: `echo ${SECRET} >&2\necho ${SECRET}\nexit 1`,
      says: /^credential plugin ".*\/plugin" ended with code 1; run it by hand/,
    },
    { name: "a signal ends it", script: "kill -9 $$", says: /ended by SIGKILL/ },
    { name: "no JSON", script: `echo '{"token": ${SECRET}'`, says: /printed no JSON/ },
    { name: "JSON of another kind", script: `echo '"${SECRET}"'`, says: /no ExecCredential/ },
    {
      name: "no status",
      script: `echo '{"kind":"ExecCredential"}'`,
      says: /no ExecCredential with a status/,
    },
    { name: "an empty status", script: answer({ token: "" }), says: /neither a token nor a cert/ },
    { name: "a token of digits", script: answer({ token: 7 }), says: /a token that is no text/ },
    {
      name: "a token of two lines",
      script: answer({ token: `${SECRET}\n${SECRET}` }),
      says: /characters that Authorization cannot carry/,
    },
    {
      name: "an end that is no time",
      script: answer({ token: SECRET, expirationTimestamp: "soon" }),
      says: /expirationTimestamp that is no time/,
    },
    {
      name: "a certificate without a key",
      script: answer({ clientCertificateData: made.certificate }),
      says: /one of certificate and key/,
    },
    {
      name: "a key of another certificate",
      script: answer({ clientCertificateData: made.certificate, clientKeyData: expired.key }),
      says: /does not fit/,
    },
    {
      name: "an expired certificate",
      script: answer({ clientCertificateData: expired.certificate, clientKeyData: expired.key }),
      says: /certificate of credential plugin .* expired on 20/,
    },
    { name: "more than a megabyte", script: "head -c 2000000 /dev/zero", says: /printed no JSON/ },
  ];
for (const c of cases) {
  test(`refused: ${c.name}`, async () => {
    using tried = plugin({ script: c.script, wallMs: Date.now() });
    await assert.rejects(tried.access.requestOptions(), (error: unknown) => {
      assert.ok(isEdgeError(error, "CREDENTIALS"), String(error));
      assert.match(error.message, c.says);
      assert.ok(error.message.length <= 600 && !error.message.includes(SECRET), error.message);
      assert.equal(error.cause, undefined);
      return true;
    });
  });
}

test("refused: a plugin that is not installed", async () => {
  using tried = plugin({ script: "", exec: { command: "no-such-plugin" } });
  await assert.rejects(
    tried.access.requestOptions(),
    /credential plugin "no-such-plugin" did not run: .*it is not installed/,
  );
});

test("closing ends a plugin that runs", async () => {
  const tried = plugin({ script: "exec sleep 60" });
  const asked = assert.rejects(tried.access.requestOptions(), /was stopped before its end/);
  while (tried.runs() === 0) await setImmediate();
  tried.access.close();
  await asked;
});

// An identity provider over https with an authority of its own: tokens are renewed when they expire
// and only then, and what the provider says wrong is told without its secrets.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { createFakeClock, type FakeClock, isEdgeError } from "@fairlead/runtime";
import { createKubeAccess, type KubeAccess } from "./kube-access.ts";
import { writeKubeconfig } from "./kubeconfig-text.ts";
import { makeAuthority } from "./made-certificates.ts";
import { readKubeconfig } from "./read-kubeconfig.ts";

const ROOT = mkdtempSync(join(tmpdir(), "fairlead-kubeconfig-"));
after(() => rmSync(ROOT, { recursive: true, force: true }));
const AUTHORITY = makeAuthority(ROOT);
const SECRET = "hunter2hunter2";

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Provider extends AsyncDisposable {
  readonly issuer: string;
  /** The forms that were posted to renew a token. */
  readonly asked: readonly URLSearchParams[];
}

/** Starts a provider whose answers to a renewal are given, one after the other. */
async function startProvider(answers: (issuer: string) => readonly Answer[]): Promise<Provider> {
  const { certificate, key } = AUTHORITY.issue({ name: "provider" });
  const asked: URLSearchParams[] = [];
  const answer = async (message: IncomingMessage): Promise<Answer> => {
    if (message.url !== "/token") {
      return { status: 200, body: { issuer, token_endpoint: `${issuer}/token` } };
    }
    asked.push(new URLSearchParams(await text(message)));
    return answers(issuer)[asked.length - 1] ?? { status: 500, body: {} };
  };
  const server = createServer({ cert: certificate, key }, (message, response) => {
    void answer(message).then(({ status, body }) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** A token as the provider makes it; nobody here checks its signature. */
function idToken(issuer: string, endsInSeconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer,
    sub: "me",
    aud: "fairlead",
    iat: now - 60,
    exp: now + endsInSeconds,
  };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2ln`;
}

const renewed = (body: Readonly<Record<string, unknown>>): Answer => ({
  status: 200,
  body: { access_token: SECRET, token_type: "bearer", expires_in: 3600, ...body },
});

function open(config: Readonly<Record<string, unknown>>): [KubeAccess, FakeClock] {
  const folder = mkdtempSync(join(ROOT, "case-"));
  writeFileSync(join(folder, "idp.crt"), AUTHORITY.ca);
  const own = { "client-id": "fairlead", "idp-certificate-authority": "idp.crt" };
  const path = writeKubeconfig(folder, {
    cluster: { server: "https://10.0.0.1" },
    user: { "auth-provider": { name: "oidc", config: { ...own, ...config } } },
  });
  const clock = createFakeClock({ wallMs: Date.now() });
  const configured = readKubeconfig(path, undefined);
  return [createKubeAccess({ config: configured, env: process.env, clock }), clock];
}

test("a token that is good is sent, and nobody is asked", async () => {
  const token = idToken("https://127.0.0.1:1", 3600);
  const [access] = open({ "id-token": token, "idp-issuer-url": "https://127.0.0.1:1" });
  const { headers } = await access.requestOptions();
  assert.deepEqual(headers, { Authorization: `Bearer ${token}` });
});

test("an expired token is renewed once, with the client's secret", async () => {
  await using provider = await startProvider((issuer) => [
    renewed({ id_token: idToken(issuer, 3600) }),
  ]);
  const { issuer, asked } = provider;
  const [access, clock] = open({
    "id-token": idToken(issuer, -1),
    "refresh-token": "again",
    "client-secret": SECRET,
    "idp-issuer-url": issuer,
  });
  const first = await access.requestOptions();
  assert.match(JSON.stringify(first.headers), /Bearer /);
  assert.equal(asked[0]?.get("refresh_token"), "again");
  assert.equal(asked[0]?.get("client_secret"), SECRET);
  await clock.advance(3_000);
  assert.deepEqual((await access.requestOptions()).headers, first.headers);
  assert.equal(asked.length, 1, "the renewed token is good for an hour");
});

test("a provider that fails once does not lose the refresh token", async () => {
  await using provider = await startProvider((issuer) => [
    renewed({}),
    { status: 400, body: { error: "invalid_grant", error_description: SECRET } },
    renewed({ id_token: idToken(issuer, 3600) }),
  ]);
  const { issuer, asked } = provider;
  const [access, clock] = open({
    "id-token": idToken(issuer, -1),
    "refresh-token": "again",
    "idp-issuer-url": issuer,
  });
  const isRefused = (words: RegExp) => (error: unknown) => {
    assert.ok(isEdgeError(error, "CREDENTIALS"), String(error));
    assert.match(error.message, words);
    assert.ok(!error.message.includes(SECRET) && error.cause === undefined);
    return true;
  };
  await assert.rejects(access.requestOptions(), isRefused(/user "me" has no valid OIDC token/));
  await clock.advance(3_000);
  await assert.rejects(access.requestOptions(), isRefused(/invalid_grant/));
  await clock.advance(3_000);
  await access.requestOptions();
  assert.deepEqual(
    asked.map((form) => form.get("refresh_token")),
    ["again", "again", "again"],
  );
});

test("an expired token that cannot be renewed is refused with what is missing", async () => {
  const [access] = open({ "id-token": idToken("https://a", -1) });
  await assert.rejects(access.requestOptions(), /no valid OIDC token: it needs .*refresh-token/);
});

test("a provider that is not there", async () => {
  const issuer = "https://127.0.0.1:1";
  const token = idToken(issuer, -1);
  const [access] = open({ "id-token": token, "refresh-token": "x", "idp-issuer-url": issuer });
  await assert.rejects(access.requestOptions(), /the provider gave none \(.*ECONNREFUSED/);
});

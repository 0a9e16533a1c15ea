// From inside a pod: what the environment and the service account give, and what is missing.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createFakeClock, isEdgeError } from "@fairlead/runtime";
import { ask, startEchoServer } from "./echo-server.ts";
import { readInCluster } from "./in-cluster.ts";
import { createKubeAccess } from "./kube-access.ts";
import { loadKubeAccess } from "./load-kube-access.ts";
import { makeAuthority } from "./made-certificates.ts";

const ROOT = mkdtempSync(join(tmpdir(), "fairlead-kubeconfig-"));
after(() => rmSync(ROOT, { recursive: true, force: true }));
const AUTHORITY = makeAuthority(ROOT);
const POD = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: "8080" };

function serviceAccount(): string {
  const folder = mkdtempSync(join(ROOT, "serviceaccount-"));
  writeFileSync(join(folder, "ca.crt"), AUTHORITY.ca);
  writeFileSync(join(folder, "token"), "bound");
  return folder;
}

test("the service account's token and authority are used, and a new token is seen", async () => {
  await using server = await startEchoServer(AUTHORITY.issue({ name: "kubernetes" }));
  const env = { ...POD, KUBERNETES_SERVICE_PORT: String(server.port) };
  const folder = serviceAccount();
  const clock = createFakeClock();
  const access = createKubeAccess({ config: readInCluster(env, folder), env, clock });
  try {
    assert.equal(access.context, "in-cluster");
    assert.equal((await ask(access)).headers["authorization"], "Bearer bound");
    writeFileSync(join(folder, "token"), "renewed");
    await clock.advance(3_000);
    assert.equal((await ask(access)).headers["authorization"], "Bearer renewed");
  } finally {
    access.close();
  }
});

const servers = [
  { name: "a port that is http elsewhere", env: POD, server: "https://127.0.0.1:8080" },
  {
    name: "an IPv6 address",
    env: { ...POD, KUBERNETES_SERVICE_HOST: "fd00::1" },
    server: "https://[fd00::1]:8080",
  },
];
for (const c of servers) {
  test(`in a pod: ${c.name}`, () => {
    assert.equal(readInCluster(c.env, serviceAccount()).server, c.server);
  });
}

test("this is no pod", () => {
  assert.throws(
    () => loadKubeAccess({ kubeconfig: undefined, env: {} }),
    (error: unknown) =>
      isEdgeError(error, "NOT_IN_CLUSTER") &&
      /KUBERNETES_SERVICE_HOST.*--kubeconfig/.test(error.message),
  );
});

test("a pod without a service account", () => {
  assert.throws(
    () => readInCluster(POD, join(ROOT, "nothing")),
    (error: unknown) =>
      isEdgeError(error, "NOT_IN_CLUSTER") && /nothing\/token does not exist/.test(error.message),
  );
});

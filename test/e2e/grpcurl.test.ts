// An operator with grpcurl in front of a controller that was started by hand, and on a host with an
// agent: the real program asks every gRPC listener what it is and what it knows, without any file
// of ours.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { toolPath } from "../tools/tool-path.ts";
import { startLocalController } from "./stage/local-controller.ts";
import { manifest, service } from "./stage/manifests.ts";
import { startSpoken } from "./stage/spoken-program.ts";
import { story } from "./stage/story.ts";

const CALL_MS_MAX = 30_000;

/** Runs grpcurl; answers with the lines it prints. */
async function call(address: string, ...words: readonly string[]): Promise<readonly string[]> {
  const args = ["-plaintext", address, ...words];
  const run = promisify(execFile);
  const { stdout } = await run(toolPath("grpcurl"), args, { timeout: CALL_MS_MAX });
  return stdout.trimEnd().split("\n");
}

test("grpcurl lists, describes and calls", async () => {
  await using controller = await startLocalController();
  const { admin, agents } = controller;

  assert.deepEqual(await call(admin, "list"), [
    "fairlead.v1.AdminService",
    "grpc.health.v1.Health",
  ]);
  assert.deepEqual(await call(agents, "list"), [
    "fairlead.v1.AgentService",
    "grpc.health.v1.Health",
  ]);
  const described = (await call(admin, "describe", "fairlead.v1.AdminService")).join("\n");
  assert.match(described, /rpc List \( \.fairlead\.v1\.ListRequest \)/);
  assert.match(described, /rpc Explain \( \.fairlead\.v1\.ExplainRequest \)/);
  assert.match(described, /rpc Watch \( .*WatchRequest \) returns \( stream .*WatchResponse \)/);
  const sync = (await call(agents, "describe", "fairlead.v1.AgentService.Sync")).join("\n");
  assert.match(sync, /rpc Sync \( stream .* \) returns \( stream .* \)/);

  const health = JSON.parse((await call(admin, "grpc.health.v1.Health/Check")).join("")) as object;
  assert.deepEqual(health, { status: "SERVING" });
  const listed = JSON.parse((await call(admin, "fairlead.v1.AdminService/List")).join("")) as {
    readonly pools: readonly { readonly name: string; readonly ranges: string }[];
  };
  assert.deepEqual(
    listed.pools.map(({ name, ranges }) => `${name}=${ranges}`),
    ["default=192.0.2.10-192.0.2.20"],
  );
});

test("grpcurl watches: everything first, then what changes", async () => {
  await using controller = await startLocalController();
  const claims = ["-d", '{"kinds":["LIST_KIND_CLAIMS"]}'];
  await using watching = startSpoken(toolPath("grpcurl"), [
    "-plaintext",
    ...claims,
    controller.admin,
    "fairlead.v1.AdminService/Watch",
  ]);
  const [first] = await watching.until(/^\{\n {2}"whole": true,[^]*^\}/m);
  assert.doesNotMatch(first, /service\/default\/web/);
  controller.write("web.yaml", manifest(service({ name: "web" })));
  await watching.until(/^\{\n {2}"rows": \{[^]*"id": "service\/default\/web"[^]*^\}/m);
});

story("grpcurl on a host shows its agent's plan, host, last apply and files", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  const { host } = stage.agent(holder);
  const grpcurl = (...words: readonly string[]): Promise<string> =>
    host.output(toolPath("grpcurl"), ["-plaintext", "127.0.0.1:7712", ...words]);
  const ask = async <Answer>(method: string): Promise<Answer> =>
    JSON.parse(await grpcurl(`fairlead.v1.AgentDebugService/${method}`)) as Answer;

  assert.equal(await grpcurl("list"), "fairlead.v1.AgentDebugService\ngrpc.health.v1.Health\n");
  assert.match(await grpcurl("grpc.health.v1.Health/Check"), /"SERVING"/);

  const plan = await ask<{
    readonly revision: string;
    readonly kept: boolean;
    readonly resources: readonly { readonly name: string; readonly content: object }[];
  }>("GetPlan");
  const vip = plan.resources.find(({ name }) => name === `vip/${address}`);
  assert.partialDeepStrictEqual(vip?.content, { kind: "vip", address, prefixLength: 32 });
  assert.equal(plan.kept, true);

  const observed = await ask<{
    readonly addresses: readonly { readonly address: string; readonly link: string }[];
    readonly proved: readonly { readonly name: string; readonly step: string }[];
  }>("GetObserved");
  assert.ok(observed.addresses.some((entry) => entry.address === address && entry.link === "eth0"));
  assert.ok(observed.proved.every(({ step }) => step === "serving"));

  const last = await ask<{
    readonly revision: string;
    readonly steps: readonly { readonly kind: string; readonly outcome: string }[];
  }>("GetLastApply");
  assert.equal(last.revision, plan.revision);
  assert.deepEqual(
    last.steps.map(({ kind, outcome }) => `${kind} ${outcome}`),
    ["serve done", "guard done", "record done", "hold done", "guard done"],
  );

  const { files } = await ask<{
    readonly files: readonly { readonly path: string; readonly sha256: string; text: string }[];
  }>("GetFiles");
  const paths = files.map(({ path }) => path);
  for (const [name, word] of [
    ["keepalived/keepalived.conf", `${address}/32`],
    ["nginx/nginx.conf", `listen ${address}:80`],
  ] as const) {
    const file = files.find(({ path }) => path.endsWith(`/${name}`));
    assert.ok(file !== undefined, `${name} is among ${paths.join(" ")}`);
    assert.ok(file.text.includes(word), `${name} has ${word}:\n${file.text}`);
    const [sha256] = (await host.output("sha256sum", [file.path])).split(" ");
    assert.equal(file.sha256, sha256);
  }
});

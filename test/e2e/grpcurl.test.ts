// An operator with grpcurl in front of a controller that was started by hand, and on a host with an
// agent: the real program asks every gRPC listener what it is and what it knows, without any file
// of ours.

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { toolPath } from "../tools/tool-path.ts";
import { service } from "./stage/manifests.ts";
import { story } from "./stage/story.ts";

const CONTROLLER = fileURLToPath(new URL("../../bin/fairlead-controller", import.meta.url));
const CALL_MS_MAX = 30_000;
const ADMIN = "fairlead.v1.AdminService";
const WEB = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: LoadBalancer, ports: [{ port: 80 }] }
`;

test("grpcurl lists, describes and calls", async () => {
  await using controller = await startController();
  const { admin, agents, call } = controller;

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
  await using controller = await startController();
  const watching = spawn(
    toolPath("grpcurl"),
    ["-plaintext", "-d", '{"kinds":["LIST_KIND_CLAIMS"]}', controller.admin, `${ADMIN}/Watch`],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = once(watching, "exit");
  const deadline = setTimeout(() => watching.kill("SIGKILL"), CALL_MS_MAX);
  let text = "";
  for await (const part of watching.stdout
    .setEncoding("utf8")
    .iterator({ destroyOnReturn: false })) {
    const isFirst = text === "";
    text += String(part);
    if (isFirst) {
      assert.match(text, /"whole": true/);
      assert.doesNotMatch(text, /"web"/);
      writeFileSync(join(controller.manifests, "web.yaml"), WEB);
    }
    if (text.includes('"id": "service/default/web"')) break;
  }
  clearTimeout(deadline);
  watching.kill("SIGTERM");
  await ended;
  assert.match(text, /"id": "service\/default\/web"/);
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
    ["serve done", "record done", "hold done"],
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

interface Controller extends AsyncDisposable {
  /** Where people ask. */
  readonly admin: string;
  /** Where agents connect. */
  readonly agents: string;
  readonly manifests: string;
  /** Runs grpcurl; answers with the lines it prints. */
  readonly call: (address: string, ...words: readonly string[]) => Promise<readonly string[]>;
}

/** Starts the controller as one does by hand, on free ports of the loopback. */
async function startController(): Promise<Controller> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-grpcurl-"));
  const manifests = join(folder, "manifests");
  mkdirSync(manifests);
  writeFileSync(join(manifests, "empty.yaml"), "");
  const listen = ["admin", "agents", "metrics"].map((name) => `--listen-${name}=127.0.0.1:0`);
  const state = [`--source=${manifests}`, `--state-dir=${join(folder, "state")}`];
  const pool = ["--pool", "default=192.0.2.10-192.0.2.20"];
  const child = spawn(CONTROLLER, [...listen, ...state, ...pool, "--insecure"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const { admin, agents } = await whereItListens(child);
  const run = promisify(execFile);
  const grpcurl = toolPath("grpcurl");
  return {
    admin,
    agents,
    manifests,
    call: async (address, ...words) => {
      const args = ["-plaintext", address, ...words];
      const { stdout } = await run(grpcurl, args, { timeout: CALL_MS_MAX });
      return stdout.trimEnd().split("\n");
    },
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for the log's line that names the ports; what was logged is told when there is none. */
async function whereItListens(
  child: ChildProcess,
): Promise<{ readonly admin: string; readonly agents: string }> {
  assert.ok(child.stderr);
  let told = "";
  for await (const text of child.stderr.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    told += String(text);
    const found = / serves .*agents=(\S+) .*admin=(\S+)/.exec(told);
    if (found === null) continue;
    child.stderr.resume(); // Nobody reads on, and a full pipe would hold the controller up.
    return { agents: found[1] ?? "", admin: found[2] ?? "" };
  }
  throw new Error(`the controller ended before it served: ${told}`);
}

// A port that somebody takes between the probe and the reload, with a real nginx, which passes its
// own check and keeps the old file without a word: the listener is refused by name, everything else
// is served.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { test } from "node:test";

import { createTemplates, renderNginx } from "@fairlead/render";
import { acceptedPlan, inSandbox, listenerOf } from "@fairlead/testkit";

import { NOTHING_APPLIED, type ServedListener, withGeneration } from "./applied.ts";
import { dataPlaneLayout } from "./data-plane-layout.ts";
import { daemonOf, supervisorOf } from "./dying-agent.ts";
import { generationId } from "./generation-id.ts";
import { nginxParts } from "./nginx-parts.ts";
import { createPortProbe } from "./ports-probe/port-probe.ts";
import { type ServeOptions, serveListeners } from "./serve-listeners.ts";

/** The pass ends, which is when it is reported, within this: nginx tries a port for 2.5 s. */
const TAKEN_MS_MAX = 3000;

function served(port: number): ServedListener {
  const [listener, members] = listenerOf(`127.0.0.1:${port}/tcp`, ["127.0.0.1:9001"]);
  const { revisions } = acceptedPlan("a", [listener, members]);
  const revision = revisions.get(listener.name);
  const membersRevision = revisions.get(members.name);
  assert.ok(revision !== undefined && membersRevision !== undefined);
  return { listener, members, revision, membersRevision };
}

async function answers(port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  const chunks: unknown[] = await once(socket, "data");
  socket.destroy();
  return String(chunks[0]);
}

inSandbox({ file: import.meta.url, name: "port-taken" }, () => {
  test("a port taken by a wildcard socket after it was tried", async () => {
    await mkdir("/run/taken");
    const layout = dataPlaneLayout("/run/taken");
    const supervisor = supervisorOf("/run/taken");
    await supervisor.ensure();
    await using stack = new AsyncDisposableStack();
    stack.defer(() => supervisor.end());
    const member = createServer((socket) => socket.end("member")).listen(9001, "127.0.0.1");
    await once(member, "listening");
    const squatter = createServer((socket) => socket.end("squatter"));
    stack.defer(() => void member.close());
    stack.defer(() => void squatter.close());
    const probe = createPortProbe();
    const settings = { workerProcesses: 2, workerConnections: 64 };
    const options: ServeOptions & { readonly nowMs: () => number } = {
      nowMs: () => performance.now(),
      nginx: daemonOf(layout.nginx, supervisor.nginx),
      nginxUdp: daemonOf(layout.nginxUdp, supervisor.nginxUdp),
      nginxRefusals: () => [],
      generationOf: (listeners) => generationId(listeners, ""),
      renderNginx: (listeners, generation) => {
        const { pid, errorLog } = layout.nginx;
        const streamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";
        const probeSocket = layout.nginx.probeSocket(generation);
        const paths = { streamModule, pid, errorLog, probeSocket };
        const own = { ...settings, openFilesMax: 1024, user: "root", paths };
        const { shutdownTimeoutMs, ...parts } = nginxParts(listeners, settings);
        const templates = createTemplates();
        return renderNginx({
          ...parts,
          generation,
          settings: { ...own, shutdownTimeoutMs },
          templates,
        }).text;
      },
      portProbe: {
        probe: async (listener) => {
          const taken = await probe.probe(listener);
          if (listener.port === 8005 && !squatter.listening) {
            squatter.listen(8005, "0.0.0.0");
            await once(squatter, "listening");
          }
          return taken;
        },
      },
    };
    const first = await serveListeners(
      options,
      { kind: "serve", protocol: "tcp", listeners: [served(8001)] },
      NOTHING_APPLIED,
    );
    const { pid } = await supervisor.nginx.state();
    const begunMs = performance.now();
    const second = await serveListeners(
      options,
      { kind: "serve", protocol: "tcp", listeners: [8001, 8002, 8005, 8006].map(served) },
      withGeneration(NOTHING_APPLIED, "tcp", first),
    );
    const tookMs = performance.now() - begunMs;
    assert.ok(tookMs < TAKEN_MS_MAX, `the pass took ${Math.round(tookMs)} ms`);
    assert.deepEqual(
      [...second.problems].map(([name, { reason }]) => `${name} ${reason}`),
      ["listener/127.0.0.1/tcp/8005 PortTaken"],
    );
    const [problem] = second.problems.values();
    // The test is the agent's program, and holds the port.
    const holder = /by this agent's own program .+, which listens on 0\.0\.0\.0:8005$/;
    assert.match(problem?.detail ?? "", holder);
    for (const port of [8001, 8002, 8006]) assert.equal(await answers(port), "member");
    assert.equal(await answers(8005), "squatter");
    assert.equal(second.reloads, 1);
    assert.equal((await supervisor.nginx.state()).pid, pid);
    assert.doesNotMatch(await readFile(layout.nginx.config, "utf8"), /:8005/);
  });
});

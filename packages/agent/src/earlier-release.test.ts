// An agent is upgraded while the nginx of the release before serves on: its next change is taken by
// that master too, which keeps the zones that it has by their names, and refuses each file in which
// a zone of the same name counts by another key. Given a real nginx under its supervisor.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { test } from "node:test";

import { inSandbox, listenerOf } from "@fairlead/testkit";

import type { ServedListener } from "./applied.ts";
import { dataPlaneLayout } from "./data-plane-layout.ts";
import { daemonOf, supervisorOf } from "./dying-agent.ts";
import { renderedFile, servedOf } from "./rendered-file.ts";

const SIZE = { workerProcesses: 1, workerConnections: 128 };
const LIMIT = /limit_conn_zone (\S+) zone=(\S+):1m;/;

const served = (port: number): ServedListener =>
  servedOf(...listenerOf(`127.0.0.1:${port}/tcp`, ["127.0.0.1:9001"], { connectionsMax: 50 }));

/** As the release wrote it whose connections were counted by address and port alone. */
const earlier = (text: string): string =>
  text
    .replace(LIMIT, "limit_conn_zone $server_addr$server_port zone=listeners:1m;")
    .replaceAll(/limit_conn [a-z_]+ 50;/g, "limit_conn listeners 50;");

test("the zone of connections is named after what it counts by", () => {
  const text = renderedFile(dataPlaneLayout("/run").nginx, "0".repeat(16), [served(8001)], SIZE);
  const [, key = "", zone] = LIMIT.exec(text) ?? [];
  assert.equal(zone, key.replaceAll("$", "").replaceAll("/", "_"));
});

inSandbox({ file: import.meta.url, name: "earlier-release" }, () => {
  test("an nginx whose zone of connections counts by another key takes the next file", async () => {
    const runDir = "/run/earlier";
    await mkdir(runDir);
    const { nginx: layout } = dataPlaneLayout(runDir);
    const supervisor = supervisorOf(runDir);
    await supervisor.ensure();
    await using stack = new AsyncDisposableStack();
    stack.defer(() => supervisor.end());
    const [first, second] = ["a".repeat(16), "b".repeat(16)];
    const one = [served(8001)];
    const before = daemonOf(layout, supervisor.nginx);
    const text = earlier(renderedFile(layout, first, one, SIZE));
    assert.match(text, /\$server_addr\$server_port zone=listeners:1m/);
    await before.apply(text, first);
    assert.equal(await before.generation(), first);

    const upgraded = daemonOf(layout, supervisor.nginx);
    const two = [...one, served(8002)];
    const outcome = await upgraded.apply(renderedFile(layout, second, two, SIZE), second);
    assert.deepEqual(outcome, { kind: "applied", reloaded: true });
    assert.equal(await upgraded.generation(), second);
  });
});

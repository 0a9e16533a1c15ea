// Generations of nginx over a reload, in a sandbox: the old ones live on with their connections, as
// many as may, and workers that have no time to answer are not taken for them.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";

import { inSandbox } from "@fairlead/testkit";

import { ask, listen, stage } from "../nginx-stage.ts";
import { readWorkers } from "./workers.ts";

inSandbox({ file: import.meta.url, name: "nginx-generations" }, () => {
  test("a long connection keeps its generation alive over a reload", async () => {
    await using s = await stage("long");
    const member = await listen(9001, (socket) => void socket.pipe(socket));
    const proxy = ["  server { listen 127.0.0.1:8003; proxy_pass 127.0.0.1:9001; }"];
    await s.nginx.apply(s.config("g1", [], proxy), "g1");
    const client = connect({ host: "127.0.0.1", port: 8003 });
    client.write("hello");
    await once(client, "data");
    await s.nginx.apply(s.config("g2", [], proxy), "g2");
    while ((await s.nginx.generationsAlive()).length !== 2) {}
    client.write("still there");
    const chunks: unknown[] = await once(client, "data");
    assert.equal(String(chunks[0]), "still there");
    client.destroy();
    while ((await s.nginx.generationsAlive()).length !== 1) {}
    member.close();
  });

  test("more generations than may live: the oldest is ended with what it has", async () => {
    await using s = await stage("bound", 2, 0);
    const member = await listen(9001, (socket) => void socket.pipe(socket));
    const proxy = ["  server { listen 127.0.0.1:8003; proxy_pass 127.0.0.1:9001; }"];
    const client = async (): Promise<Socket> => {
      const socket = connect({ host: "127.0.0.1", port: 8003 });
      socket.write("hello");
      await once(socket, "data");
      return socket;
    };
    await s.nginx.apply(s.config("g1", [], proxy), "g1");
    const first = await client();
    // Generations are told apart by when their workers start, and a start waits for nothing.
    while (((await s.nginx.generationsAlive())[0]?.ageMs ?? 0) < 200) {}
    await s.nginx.apply(s.config("g2", [], proxy), "g2");
    await s.nginx.retired();
    const second = await client();
    const ended = once(first.resume(), "close");
    await s.nginx.apply(s.config("g3", [], proxy), "g3");
    await s.nginx.retired();
    await ended;
    second.write("still there");
    const chunks: unknown[] = await once(second, "data");
    assert.equal(String(chunks[0]), "still there");
    while ((await s.nginx.generationsAlive()).length !== 2) {}
    const [serving, older] = await s.nginx.generationsAlive();
    assert.equal(serving?.isServing, true);
    assert.equal(older?.isServing, false);
    assert.ok((older?.memoryBytes ?? 0) > 0);
    second.destroy();
    member.close();
  });

  test("a burst of reloads ends no connection, until four times as many generations live", async () => {
    await using s = await stage("burst", 2);
    const member = await listen(9001, (socket) => void socket.pipe(socket));
    const proxy = ["  server { listen 127.0.0.1:8003; proxy_pass 127.0.0.1:9001; }"];
    const clients: Socket[] = [];
    for (let round = 0; round < 8; round += 1) {
      // Generations are told apart by when their workers start, and a start waits for nothing.
      while (((await s.nginx.generationsAlive())[0]?.ageMs ?? 200) < 200) {}
      await s.nginx.apply(s.config(`g${round}`, [], proxy), `g${round}`);
      await s.nginx.retired();
      const socket = connect({ host: "127.0.0.1", port: 8003 });
      socket.write("hello");
      await once(socket, "data");
      clients.push(socket);
    }
    assert.equal((await s.nginx.generationsAlive()).length, 8);
    const [first, ...others] = clients;
    assert.ok(first !== undefined && others.every((socket) => !socket.destroyed));
    const ended = once(first.resume(), "close");
    while (((await s.nginx.generationsAlive())[0]?.ageMs ?? 200) < 200) {}
    await s.nginx.apply(s.config("g8", [], proxy), "g8");
    await s.nginx.retired();
    await ended;
    for (const socket of others) {
      socket.write("still there");
      assert.equal(String((await once(socket, "data"))[0]), "still there");
      socket.destroy();
    }
    member.close();
  });

  test("a reload is proved while old workers still serve, and they retire after it", async () => {
    await using s = await stage("retired");
    const both = s.config("g1", [8001]).replace("worker_processes 2", "worker_processes 1");
    await s.nginx.apply(both, "g1");
    const { pid } = await s.supervisor.nginx.state();
    assert.ok(pid !== undefined);
    const [old] = readWorkers(pid);
    assert.ok(old !== undefined);
    await s.nginx.apply(s.config("g2", [8001]), "g2");
    assert.equal(await s.nginx.generation(), "g2");
    await s.nginx.retired();
    const serving = readWorkers(pid).filter((worker) => !worker.ending);
    assert.equal(serving.length, 2);
    assert.ok(serving.every((worker) => worker.pid !== old.pid));
  });

  test("workers that have no time to answer are not ended with their clients", async () => {
    await using s = await stage("busy");
    const member = await listen(9001, (socket) => void socket.pipe(socket));
    const proxy = ["  server { listen 127.0.0.1:8003; proxy_pass 127.0.0.1:9001; }"];
    const text = s.config("g1", [8001], proxy);
    await s.nginx.apply(text, "g1");
    const client = connect({ host: "127.0.0.1", port: 8003 });
    using ends = new DisposableStack();
    ends.defer(() => void member.close());
    ends.defer(() => void client.destroy());
    client.write("hello");
    await once(client, "data");
    const { pid } = await s.supervisor.nginx.state();
    assert.ok(pid !== undefined);
    let busy = readWorkers(pid);
    // One that starts yet answers for all.
    while (busy.length < 2) {
      await new Promise((resolve) => setImmediate(resolve));
      busy = readWorkers(pid);
    }
    for (const worker of busy) process.kill(worker.pid, "SIGSTOP");
    assert.equal(await s.nginx.generation(), undefined);
    const outcome = await s.nginx
      .apply(text, "g1")
      .finally(() => busy.forEach((worker) => process.kill(worker.pid, "SIGCONT")));
    assert.deepEqual(outcome, { kind: "applied", reloaded: true });
    assert.equal(await ask(8001), "g1");
    client.write("still there");
    const chunks: unknown[] = await once(client, "data");
    assert.equal(String(chunks[0]), "still there");
    assert.equal((await s.supervisor.nginx.state()).pid, pid);
  });
});

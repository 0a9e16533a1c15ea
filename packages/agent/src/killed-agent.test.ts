// An agent that is killed (SIGKILL) at each point of an apply. Whoever comes after it finds the old
// state or the new one, never one between; nginx is not started anew, and a connection of a client
// lives through all of it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { type Server, type Socket, connect, createServer } from "node:net";
import { test } from "node:test";
import { inSandbox } from "@fairlead/testkit";
import { dataPlaneLayout } from "./data-plane-layout.ts";
import { daemonOf, liveElsewhere, supervisorOf, textOf } from "./dying-agent.ts";

const RUN_DIR = "/run/killed";
const PORTS = [8001];
const TAKEN = [8001, 8005];

const cases = [
  { diesAt: "written", ports: PORTS, ends: "new" },
  { diesAt: "tested", ports: PORTS, ends: "new" },
  { diesAt: "swapped", ports: PORTS, ends: "new" },
  { diesAt: "signalled", ports: PORTS, ends: "new" },
  { diesAt: "answered", ports: PORTS, ends: "new" },
  { diesAt: "done", ports: PORTS, ends: "new" },
  { diesAt: "swapped", ports: TAKEN, ends: "old" },
  { diesAt: "signalled", ports: TAKEN, ends: "old" },
] as const;

async function listen(port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection).listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function echoes(client: Socket, word: string): Promise<void> {
  client.write(word);
  const chunks: unknown[] = await once(client, "data");
  assert.equal(String(chunks[0]), word);
}

async function ask(port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  let text = "";
  for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
  return text;
}

inSandbox({ file: import.meta.url, name: "killed-agent" }, () => {
  test("an agent killed at any point of an apply leaves the old state or the new one", async (t) => {
    await mkdir(RUN_DIR);
    const supervisor = supervisorOf(RUN_DIR);
    await supervisor.ensure();
    const member = await listen(9001, (socket) => void socket.pipe(socket));
    const other = await listen(8005, (socket) => void socket.end("other"));
    await using _end = {
      [Symbol.asyncDispose]: async () => {
        member.close();
        other.close();
        await supervisor.end();
      },
    };
    const { nginx: layout } = dataPlaneLayout(RUN_DIR);
    const old = textOf(layout, "old", PORTS);
    await daemonOf(layout, supervisor.nginx).apply(old, "old");
    const { pid } = await supervisor.nginx.state();
    for (const { diesAt, ports, ends } of cases) {
      const what = ports === PORTS ? "a good file" : "a file whose port is taken";
      await t.test(`${what}, ${diesAt}: ends in the ${ends} state`, async () => {
        const first = daemonOf(layout, supervisor.nginx);
        await first.apply(old, "old");
        await first.retired();
        const client = connect({ host: "127.0.0.1", port: 8003 });
        await echoes(client, "before");
        assert.equal(await liveElsewhere({ runDir: RUN_DIR, diesAt, ports }), "SIGKILL");

        const wanted = textOf(layout, "new", ports);
        const next = daemonOf(layout, supervisor.nginx);
        const found = await next.generation();
        assert.ok(found === "old" || found === "new", `${found} answers`);
        assert.ok([old, wanted].includes(await readFile(layout.config, "utf8")), "a whole file");
        assert.ok(["old", "new"].includes(await ask(8001)));
        const outcome = await next.apply(wanted, "new");
        assert.equal(outcome.kind, ends === "new" ? "applied" : "refused");
        assert.equal(await next.generation(), ends);
        assert.equal(await readFile(layout.config, "utf8"), ends === "new" ? wanted : old);
        // Workers of a reload that the dead agent began go on for 100 ms after it.
        while ((await ask(8001)) !== ends) {}
        await echoes(client, "after");
        client.destroy();
        assert.equal((await supervisor.nginx.state()).pid, pid, "nginx was not started anew");
      });
    }
  });
});

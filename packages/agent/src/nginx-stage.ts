// nginx itself under s6, for tests of its adapter in a sandbox: a daemon whose listeners answer
// with its generation, and who asks them. For tests alone.

import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";

import { createLogger, createSystemClock } from "@fairlead/runtime";

import { type DataPlaneLayout, dataPlaneLayout } from "./data-plane-layout.ts";
import { supervisorOf, textWith } from "./dying-agent.ts";
import { createNginxDaemon } from "./nginx/nginx-daemon.ts";
import type { NginxDaemon } from "./ports.ts";
import type { S6Supervisor } from "./supervise/s6.ts";

/** An nginx with its adapter; disposing ends it. */
export interface Stage extends AsyncDisposable {
  readonly nginx: NginxDaemon;
  readonly supervisor: S6Supervisor;
  /** A file with this id whose listeners answer with it; `lines` go into the stream block. */
  config(generation: string, ports: readonly number[], lines?: readonly string[]): string;
  readonly configPath: string;
}

/** The folders of a data plane below `/run`, under a supervisor that ends with the stack. */
export async function supervisedIn(
  stack: AsyncDisposableStack,
  name: string,
): Promise<{ readonly layout: DataPlaneLayout; readonly supervisor: S6Supervisor }> {
  const layout = dataPlaneLayout(`/run/${name}`);
  await mkdir(layout.runDir);
  const supervisor = supervisorOf(layout.runDir);
  await supervisor.ensure();
  stack.defer(() => supervisor.end());
  return { layout, supervisor };
}

/**
 * An nginx below `/run` that was never started. Of more generations than these the oldest ends, at
 * once where `generationKeptMs` says so.
 */
export async function stage(
  name: string,
  generationsMax = 8,
  generationKeptMs?: number,
): Promise<Stage> {
  const { nginx: layout, runDir } = dataPlaneLayout(`/run/${name}`);
  await mkdir(runDir);
  const supervisor = supervisorOf(runDir);
  await supervisor.ensure();
  const daemon = createNginxDaemon({
    layout,
    generationsMax,
    generationKeptMs,
    service: supervisor.nginx,
    program: "/usr/sbin/nginx",
    clock: createSystemClock(),
    logger: createLogger({ level: "silent", format: "json" }),
  });
  const config: Stage["config"] = (generation, ports, lines = []) =>
    textWith(layout, generation, ports, lines);
  return {
    nginx: daemon,
    supervisor,
    config,
    configPath: layout.config,
    [Symbol.asyncDispose]: () => supervisor.end(),
  };
}

/** What a port answers; undefined when it refuses. */
export async function ask(port: number): Promise<string | undefined> {
  const socket = connect({ host: "127.0.0.1", port });
  let text = "";
  try {
    for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
    return text;
  } catch {
    return undefined;
  }
}

/** A server on loopback that does this to whoever connects. It keeps no failed test from ending. */
export async function listen(
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  const server = createServer(onConnection).listen(port, "127.0.0.1");
  await once(server, "listening");
  return server.unref();
}

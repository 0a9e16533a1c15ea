// For tests: the life of an agent that hands one file to a real nginx and is killed (SIGKILL) at a
// named point of it. Given the run directory. It runs in a process of its own and has the real
// adapter; what it is made of for that, its next life and its test use too.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { createLogger, createSystemClock } from "@fairlead/runtime";

import { type NginxLayout, dataPlaneLayout } from "./data-plane-layout.ts";
import type { NginxDaemon } from "./ports.ts";
import type { SupervisedService } from "./supervised.ts";
import { createS6Supervisor, type S6Supervisor } from "./supervise/s6.ts";
import { probeGeneration } from "./nginx/generation-probe.ts";
import { createNginxDaemon } from "./nginx/nginx-daemon.ts";

/** Where an agent may die: each is after the step that it names, but `done`, which is after all. */
export const DEATH_POINTS = [
  "written",
  "tested",
  "swapped",
  "signalled",
  "answered",
  "done",
] as const;

/** One of them. */
type DeathPoint = (typeof DEATH_POINTS)[number];

/** One life. */
export interface Life {
  readonly runDir: string;
  readonly diesAt: DeathPoint;
  /** Of the file that it hands over, whose id is `new`. */
  readonly ports: readonly number[];
}

const NGINX = "/usr/sbin/nginx";

/** The supervisor of a run directory. */
export function supervisorOf(runDir: string): S6Supervisor {
  return createS6Supervisor({
    ...surroundings(),
    layout: dataPlaneLayout(runDir),
    programs: {
      nginx: NGINX,
      keepalived: "/usr/sbin/keepalived",
      ip: "/usr/sbin/ip",
      s6Svscan: "/usr/bin/s6-svscan",
    },
  });
}

/** The adapter. */
export function daemonOf(
  layout: NginxLayout,
  service: SupervisedService,
  program: string = NGINX,
): NginxDaemon {
  return createNginxDaemon({ ...surroundings(), layout, service, program, generationsMax: 8 });
}

/** A file whose ports answer with its id; 8003 leads to a member on 9001. */
export function textOf(layout: NginxLayout, id: string, ports: readonly number[]): string {
  return textWith(layout, id, ports, [
    "  server { listen 127.0.0.1:8003; proxy_pass 127.0.0.1:9001; }",
  ]);
}

/** A file whose ports answer with its id, with these lines in its stream block. */
export function textWith(
  layout: NginxLayout,
  id: string,
  ports: readonly number[],
  lines: readonly string[],
): string {
  const answers = ports.map((port) => `  server { listen 127.0.0.1:${port}; return ${id}; }`);
  return `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
pid ${layout.pid};
error_log stderr warn;
user root;
worker_processes 2;
events { worker_connections 64; }
stream {
  server { listen unix:${layout.probeSocket(id)}; proxy_pass unix:${layout.answerSocket(id)}; }
  server { listen unix:${layout.answerSocket(id)}; return ${id}; }
${[...answers, ...lines].join("\n")}
}
`;
}

/** Lives this life in this process, which ends by it. */
export async function live({ runDir, diesAt, ports }: Life): Promise<void> {
  const { nginx: layout } = dataPlaneLayout(runDir);
  const real = supervisorOf(runDir).nginx;
  const reload = async (): Promise<void> => {
    if (diesAt === "swapped") await die();
    await real.reload();
    if (diesAt === "signalled") await die();
    while (diesAt === "answered") {
      if ((await probeGeneration(layout.probeSocket("new"))) === "new") await die();
    }
  };
  const daemon = daemonOf(layout, { ...real, reload }, await checkerOf(runDir, diesAt));
  await daemon.apply(textOf(layout, "new", ports), "new");
  await die();
}

/** Lives it in a process of its own; resolves with the signal that ended that. */
export async function liveElsewhere({ runDir, diesAt, ports }: Life): Promise<unknown> {
  const program = fileURLToPath(new URL("dying-agent-main.ts", import.meta.url));
  const child = spawn(process.execPath, [program, runDir, diesAt, ...ports.map(String)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const told: unknown[] = await once(child, "exit");
  return told[1];
}

function surroundings(): Pick<Parameters<typeof createNginxDaemon>[0], "clock" | "logger"> {
  return {
    clock: createSystemClock(),
    logger: createLogger({ level: "silent", format: "json" }),
  };
}

function die(): Promise<never> {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => undefined);
}

/** The checker, or a program that kills whoever runs it before or after the check. */
async function checkerOf(runDir: string, diesAt: DeathPoint): Promise<string> {
  if (diesAt !== "written" && diesAt !== "tested") return NGINX;
  const path = `${runDir}/checker`;
  const check = diesAt === "tested" ? `${NGINX} "$@"\n` : "";
  await writeFile(path, `#!/bin/sh\n${check}kill -9 $PPID\n`);
  await chmod(path, 0o755);
  return path;
}

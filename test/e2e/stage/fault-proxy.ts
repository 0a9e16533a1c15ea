// Puts a proxy between the controller of a stage and its real API server, and tells it what goes
// wrong. Given the stage. The proxy runs beside the API server under its certificate, so that the
// controller meets it by TLS as any API server; agents and whoever else asks are not concerned.

import { fileURLToPath } from "node:url";

import type { RunningProgram } from "@fairlead/lab";

import { CONTROLLER_USER, KUBECONFIG } from "./api-host.ts";
import type { Asked, Fault, ProxyOrder } from "./fault-proxy/faults.ts";
import type { Stage } from "./stage.ts";

/** A request that came to the proxy. */
export interface AskedAt extends Asked {
  /** When it came, in ms since 1970. */
  readonly atMs: number;
  /** The number of the fault that it met. */
  readonly fault?: number;
}

/** A fault that goes on. */
export interface BegunFault {
  /** Waits until a request met it. */
  met(): Promise<void>;
  /** Requests that met it so far; what meets it within an open watch is none. */
  requests(): readonly AskedAt[];
  lift(): Promise<void>;
}

/** The proxy. It ends with its host. */
export interface FaultProxy {
  begin(fault: Fault): Promise<BegunFault>;
  /** All requests since then. */
  askedSince(ms: number): readonly AskedAt[];
}

const PORT_FROM = 6444;
const PORT_TO = 6443;
const READY_MS_MAX = 10_000;
const MET_MS_MAX = 35_000;

/** Starts the proxy, and the controller anew behind it. */
export async function putBetween(stage: Stage): Promise<FaultProxy> {
  const { control, controller } = stage;
  const { host, cluster } = stage.api();
  const asked: AskedAt[] = [];
  const main = fileURLToPath(new URL("./fault-proxy/main.ts", import.meta.url));
  const { dir } = cluster.place;
  const args = [main, dir, host.address, String(PORT_FROM), String(PORT_TO)];
  const program = await host.start(process.execPath, args, {
    onLine: (line) => {
      const [, text] = /^asked (.*)$/.exec(line) ?? [];
      if (text !== undefined) asked.push(JSON.parse(text) as AskedAt);
    },
  });
  await program.waitForLine(/^ready$/, READY_MS_MAX);
  await controller.stop();
  const credentials = cluster.credentialsOf(CONTROLLER_USER);
  const config = cluster.kubeconfigFor(CONTROLLER_USER, credentials);
  await control.writeFile(KUBECONFIG, config.replace(`:${PORT_TO}`, `:${PORT_FROM}`));
  await controller.start();
  return createProxy(program, asked);
}

function createProxy(program: RunningProgram, asked: readonly AskedAt[]): FaultProxy {
  let last = 0;
  const order = async (make: (id: number) => ProxyOrder): Promise<number> => {
    last += 1;
    const id = last;
    program.write(`${JSON.stringify(make(id))}\n`);
    await program.waitForLine(new RegExp(`^done ${id}$`), READY_MS_MAX);
    return id;
  };
  return {
    begin: async (fault) => {
      const number = await order((id) => ({ id, begin: fault }));
      return {
        met: async () => {
          await program.waitForLine(new RegExp(`^met ${number}$`), MET_MS_MAX);
        },
        requests: () => asked.filter((one) => one.fault === number),
        lift: async () => void (await order((id) => ({ id, lift: number }))),
      };
    },
    askedSince: (ms) => asked.filter(({ atMs }) => atMs >= ms),
  };
}

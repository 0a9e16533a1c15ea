// A place for a cluster on this machine without a lab: namespaces for files and processes, so that
// both end with the process that made them, on the machine's own network. Each place has a loopback
// address of its own, made from its process id, so that several can be there at a time.

import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:net";
import { type InitProcess, startInit } from "../init-process.ts";
import { LOOPBACK_INIT } from "../init-script.ts";
import { labError } from "../lab-error.ts";
import { type LabUser, unshareCommand } from "../namespace-command.ts";
import { checkMachine } from "../preflight.ts";
import { createReach } from "../reach.ts";
import { searchPath } from "../search-path.ts";
import type { Place } from "./place.ts";

const DIR = "/run/cluster";

/** Makes the place. Rejects with code NOT_POSSIBLE and the reason where it cannot be had. */
export async function createLoopbackPlace(): Promise<Place> {
  const path = searchPath();
  checkMachine(path);
  const isRoot = process.getuid?.() === 0;
  const user: LabUser = { userNamespace: !isRoot, identity: undefined, sharesNetwork: true };
  const env = { PATH: path, LANG: "C.UTF-8", TZ: "UTC", FAIRLEAD_LAB: randomUUID(), HOME: DIR };
  const init: InitProcess = await startInit({
    name: "a place on loopback",
    command: unshareCommand(["sh", "-c", LOOPBACK_INIT], user),
    depth: 1,
    user,
    env,
  });
  const name = "loopback";
  const address = addressOf(init.pid);
  return {
    ...createReach(name, () => {
      if (init.hasExited()) throw labError("GONE", "the place on loopback has ended");
      return { pid: init.pid, user, directory: DIR, env };
    }),
    name,
    addresses: [address],
    dir: DIR,
    isReachable: false,
    ports: (usual) => freePorts(address, usual),
    way: (port) => Promise.resolve({ kind: "tcp", host: address, port }),
    [Symbol.asyncDispose]: () => init.end(),
  };
}

/** Process ids have at most 22 bits, and the upper half of 127.0.0.0/8 has 23. */
function addressOf(pid: number): string {
  return `127.${128 + ((pid >> 16) & 0x7f)}.${(pid >> 8) & 0xff}.${pid & 0xff}`;
}

/** Only a program that listens on all addresses could take one of them before it is used. */
async function freePorts<K extends string>(
  address: string,
  usual: Readonly<Record<K, number>>,
): Promise<Readonly<Record<K, number>>> {
  const names = Object.keys(usual);
  const servers = await Promise.all(names.map(() => listen(address)));
  const ports = names.map((name, index) => [name, portOf(servers[index])]);
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  return Object.fromEntries(ports) as Record<K, number>;
}

function listen(host: string): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port: 0 }, () => resolve(server));
  });
}

function portOf(server: Server | undefined): number {
  const address = server?.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

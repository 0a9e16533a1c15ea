// A way for this program, which is outside of the lab's networks, to a TCP port inside: a unix
// socket, which is found by its file and belongs to no network. Given the host. The connections are
// carried by door/main.ts, a process of the host that ends with it.

import { fileURLToPath } from "node:url";
import type { Host } from "./host.ts";

/** Where a door leads. */
export interface DoorOptions {
  /** The address as the host sees it. */
  readonly address: string;
  readonly port: number;
}

/** A way in that is open. */
export interface Door extends AsyncDisposable {
  /** Where this program connects to, as the `path` of node:net has it. */
  readonly path: string;
}

const READY_MS_MAX = 10_000;

/** Opens a door on a host. While nobody listens behind it, it ends each connection at once. */
export async function openDoor(host: Host, options: DoorOptions): Promise<Door> {
  const socket = `${host.dir}/door-${options.port}.sock`;
  await host.removeFile(socket);
  const main = fileURLToPath(new URL("./door/main.ts", import.meta.url));
  const args = [main, socket, options.address, String(options.port)];
  const program = await host.start(process.execPath, args);
  await program.waitForLine(/^ready$/, READY_MS_MAX);
  return {
    path: host.outsidePath(socket),
    [Symbol.asyncDispose]: async () => void (await program.stop()),
  };
}

// The files that the agent rendered for its daemons, read from the disk: what the daemons read, and
// not what the agent believes. It never writes.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { DataPlaneLayout } from "./data-plane-layout.ts";
import type { RenderedFile } from "./ports.ts";

/** The scripts of a service that are made of the layout. */
const SCRIPTS = ["run", "finish"];

/** Reads those that are there, in the order of their paths. */
export async function readRenderedFiles(layout: DataPlaneLayout): Promise<readonly RenderedFile[]> {
  const { keepalived, nginx, nginxUdp, serviceDir } = layout;
  const scripts = ["keepalived", "nginx", "nginx-udp"].flatMap((service) =>
    SCRIPTS.map((script) => join(serviceDir, service, script)),
  );
  const paths = [keepalived.config, keepalived.sweep, nginx.config, nginxUdp.config, ...scripts];
  const files = await Promise.all(paths.toSorted().map(readRendered));
  return files.filter((file) => file !== undefined);
}

async function readRendered(path: string): Promise<RenderedFile | undefined> {
  try {
    return { path, content: await readFile(path) };
  } catch {
    // Not there yet, or gone by now: both mean that no daemon reads it.
    return undefined;
  }
}

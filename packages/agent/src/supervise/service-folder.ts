// Makes the folder that s6-svscan looks after, and the folders of logs and files beside it. Given
// the layout and the programs. It changes only files whose text differs, each at once, so that it
// may run under a living supervisor: a changed script counts from the next start on.

import { chmod, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EdgeError, describeError, makeFolder } from "@fairlead/runtime";
import type { DataPlaneLayout, DataPlanePrograms } from "../data-plane-layout.ts";
import type { SupervisorErrorCode } from "../supervised.ts";
import { type ServiceFile, type ServiceName, serviceFiles } from "./service-scripts.ts";

/** The services, in the order in which they are ended: addresses go first. */
export const SERVICES: readonly ServiceName[] = ["keepalived", "nginx", "nginx-udp"];

/** Writes the service folder. Rejects with EdgeError<SupervisorErrorCode> "RUN_DIR". */
export async function writeServiceFolder(
  layout: DataPlaneLayout,
  programs: DataPlanePrograms,
): Promise<void> {
  try {
    for (const dir of [
      layout.serviceDir,
      layout.keepalived.logDir,
      layout.keepalived.trackDir,
      layout.nginx.logDir,
      layout.nginx.dir,
      layout.nginxUdp.logDir,
      layout.nginxUdp.dir,
    ]) {
      makeFolder(dir);
    }
    for (const name of SERVICES) await keepNewServiceDown(join(layout.serviceDir, name));
    for (const file of serviceFiles(layout, programs)) {
      const path = join(layout.serviceDir, file.path);
      if (programs.scriptDir === undefined || !file.executable) await writeWhole(path, file);
      else await writeElsewhere(path, file, programs.scriptDir);
    }
  } catch (error) {
    throw runDirError(layout, error);
  }
}

/** Makes every service stay down when a supervisor finds the folder. */
export async function keepServicesDown(layout: DataPlaneLayout): Promise<void> {
  try {
    for (const name of SERVICES) await writeFile(join(layout.serviceDir, name, "down"), "");
  } catch (error) {
    throw runDirError(layout, error);
  }
}

/** Says whether a supervisor that finds the service starts it by itself. */
export async function setStartsByItself(serviceDir: string, starts: boolean): Promise<void> {
  const file = join(serviceDir, "down");
  if (starts) await rm(file, { force: true });
  else await writeFile(file, "");
}

/** A living supervisor would start it as soon as it sees the folder, without any file. */
async function keepNewServiceDown(serviceDir: string): Promise<void> {
  if (makeFolder(serviceDir)) await setStartsByItself(serviceDir, false);
}

/** A running shell goes on reading the old file; the new one must never be seen in part. */
async function writeWhole(path: string, file: ServiceFile): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => undefined)) === file.text) return;
  makeFolder(dirname(path));
  const next = `${path}.new`;
  await writeFile(next, file.text);
  await chmod(next, file.executable ? 0o755 : 0o644);
  await rename(next, path);
}

/** Where the run directory runs no programs, a link in it leads to where they do run. */
async function writeElsewhere(path: string, file: ServiceFile, scriptDir: string): Promise<void> {
  const script = join(scriptDir, file.path.replaceAll("/", "-"));
  await writeWhole(script, file);
  if ((await readlink(path).catch(() => undefined)) === script) return;
  makeFolder(dirname(path));
  const next = `${path}.new`;
  await rm(next, { force: true });
  await symlink(script, next);
  await rename(next, path);
}

function runDirError(layout: DataPlaneLayout, error: unknown): EdgeError<SupervisorErrorCode> {
  return new EdgeError({
    code: "RUN_DIR",
    message: `cannot write the service folder ${layout.serviceDir}: ${describeError(error)}`,
    retryable: true,
    cause: error,
  });
}

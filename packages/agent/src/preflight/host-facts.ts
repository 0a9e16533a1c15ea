// What the preflight reads of the host: programs, versions, capabilities, sysctls, folders, links.
// It changes nothing. Given where to look. What it cannot read is said as absent, never thrown.

import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeError, runProgram } from "@fairlead/runtime";
import { isPlainPath } from "../data-plane-layout.ts";
import { readOrNothing } from "../read-or-nothing.ts";
import { mayAccess } from "./may-access.ts";
import { type NetworkFacts, readNetworks } from "./network-facts.ts";

/** Programs that the data plane is made of. */
export type ProgramName = "nginx" | "keepalived" | "s6-svscan" | "ip" | "arping" | "ndptool";

/** A sysctl as found. */
export interface SysctlFact {
  /** Trimmed content; absent when the host does not have it. */
  readonly value?: string;
  readonly writable: boolean;
}

/** Everything the judge looks at. */
export interface HostFacts {
  /** Absolute paths of the programs that were found. */
  readonly programs: ReadonlyMap<ProgramName, string>;
  /** First line of what each found program says of its version; absent when it does not run. */
  readonly versions: ReadonlyMap<ProgramName, string>;
  /** nftables' program, an absolute path; absent when it is not there. */
  readonly nft?: string;
  /** The shared object of nginx's stream module; absent when it is not there. */
  readonly streamModule?: string;
  /** CapEff of this process: one bit a capability. */
  readonly capabilities: bigint;
  readonly sysctls: ReadonlyMap<string, SysctlFact>;
  /** Folders that cannot be written, with why. */
  readonly unwritable: ReadonlyMap<string, string>;
  /** Folders whose file system runs no programs (mounted noexec). */
  readonly noexec: ReadonlySet<string>;
  readonly links: readonly string[];
  readonly network: NetworkFacts;
  /** Whether the user and group of nginx's workers exist in this user namespace. */
  readonly hasWorkerUser: boolean;
  /** Whether this user namespace lets anybody set groups: not so in a normal user's. */
  readonly allowsSetGroups: boolean;
}

/** Where to look. */
export interface ReadHostOptions {
  readonly runDir: string;
  readonly stateDir: string;
  /** Folders to look for programs in, in order. */
  readonly searchPath: readonly string[];
}

const PROGRAMS: readonly ProgramName[] = [
  "nginx",
  "keepalived",
  "s6-svscan",
  "ip",
  "arping",
  "ndptool",
];
/** Where Debian's nginx, and others, keep modules. */
const MODULE_FOLDERS = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules"];
const STREAM_MODULE = "ngx_stream_module.so";
const VERSION_MS_MAX = 5000;
const VERSION_BYTES_MAX = 8192;
/** The user of nginx's workers on Debian. */
export const WORKER_USER = "www-data";
export const SYSCTLS: readonly string[] = [
  "net.ipv4.ip_nonlocal_bind",
  "net.ipv6.ip_nonlocal_bind",
];

/** Reads the host. Never rejects for what the host lacks. */
export async function readHost(options: ReadHostOptions): Promise<HostFacts> {
  const programs = new Map<ProgramName, string>();
  for (const name of PROGRAMS) {
    const path = await findProgram(name, options.searchPath);
    if (path !== undefined) programs.set(name, path);
  }
  const nft = await findProgram("nft", options.searchPath);
  const nginxSays = await runForWords(programs.get("nginx"), ["-V"]);
  const streamModule = await findStreamModule(nginxSays);
  return {
    programs,
    versions: await readVersions(programs, nginxSays),
    ...(nft === undefined ? {} : { nft }),
    ...(streamModule === undefined ? {} : { streamModule }),
    capabilities: await readCapabilities(),
    sysctls: new Map(
      await Promise.all(
        SYSCTLS.map(async (name): Promise<[string, SysctlFact]> => [name, await readSysctl(name)]),
      ),
    ),
    unwritable: await unwritableOf([options.runDir, options.stateDir]),
    noexec: await noexecOf([options.runDir, options.stateDir]),
    links: await readLinks(),
    network: await readNetworks(programs.get("ip")),
    hasWorkerUser: await hasWorkerUser(),
    allowsSetGroups: (await readOrNothing("/proc/self/setgroups")).trim() !== "deny",
  };
}

/** The file of a sysctl: `net.ipv4.ip_forward` below /proc/sys. */
export function sysctlPath(name: string): string {
  return `/proc/sys/${name.replaceAll(".", "/")}`;
}

async function findProgram(
  name: string,
  searchPath: readonly string[],
): Promise<string | undefined> {
  for (const folder of searchPath) {
    const path = join(folder, name);
    // The path stands in scripts of the supervisor.
    if (isPlainPath(path) && (await mayAccess(path, constants.X_OK))) return path;
  }
  return undefined;
}

async function readVersions(
  programs: ReadonlyMap<ProgramName, string>,
  nginxSays: string,
): Promise<ReadonlyMap<ProgramName, string>> {
  const said: readonly (readonly [ProgramName, string])[] = [
    ["nginx", nginxSays],
    ["keepalived", await runForWords(programs.get("keepalived"), ["--version"])],
    ["ip", await runForWords(programs.get("ip"), ["-V"])],
  ];
  return new Map(
    said.flatMap(([name, words]): [ProgramName, string][] => {
      const [first = ""] = words.split("\n");
      return first === "" ? [] : [[name, first]];
    }),
  );
}

/** What a program says on both of its outputs; empty when it does not run. */
async function runForWords(command: string | undefined, args: readonly string[]): Promise<string> {
  if (command === undefined) return "";
  try {
    const limits = { timeoutMs: VERSION_MS_MAX, maxOutputBytes: VERSION_BYTES_MAX };
    const result = await runProgram({ command, args, ...limits });
    return `${result.stderr}${result.stdout}`.trim();
  } catch {
    return "";
  }
}

/** nginx names its folder of modules when it was built with one. */
async function findStreamModule(nginxSays: string): Promise<string | undefined> {
  const named = /--modules-path=(\S+)/.exec(nginxSays)?.[1];
  for (const folder of named === undefined ? MODULE_FOLDERS : [named, ...MODULE_FOLDERS]) {
    const path = join(folder, STREAM_MODULE);
    if (isPlainPath(path) && (await mayAccess(path, constants.R_OK))) return path;
  }
  return undefined;
}

async function readCapabilities(): Promise<bigint> {
  const status = await readOrNothing("/proc/self/status");
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return hex === undefined ? 0n : BigInt(`0x${hex}`);
}

async function readSysctl(name: string): Promise<SysctlFact> {
  const path = sysctlPath(name);
  const value = (await readOrNothing(path)).trim();
  const writable = await mayAccess(path, constants.W_OK);
  return value === "" ? { writable } : { value, writable };
}

/** A folder that does not exist yet is as good as its nearest existing parent. */
async function unwritableOf(folders: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const folder of folders) {
    const problem = await writeProblem(folder);
    if (problem !== undefined) found.set(folder, problem);
  }
  return found;
}

async function writeProblem(folder: string): Promise<string | undefined> {
  let place = folder;
  for (;;) {
    try {
      if (!(await stat(place)).isDirectory()) return `${place} is not a folder`;
      await access(place, constants.W_OK | constants.X_OK);
      return undefined;
    } catch (error) {
      const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!isMissing || place === dirname(place)) return describeError(error);
      place = dirname(place);
    }
  }
}

async function noexecOf(folders: readonly string[]): Promise<ReadonlySet<string>> {
  const table = await readOrNothing("/proc/self/mountinfo");
  const found = new Set<string>();
  for (const folder of folders) {
    if (isNoexec(table, await realPlace(folder))) found.add(folder);
  }
  return found;
}

/** The folder, or its nearest existing parent, without symbolic links such as /var/run. */
async function realPlace(folder: string): Promise<string> {
  const real = await realpath(folder).catch(() => undefined);
  return real ?? (folder === dirname(folder) ? folder : realPlace(dirname(folder)));
}

/** Fields of a line: ids, root, mount point, options (proc(5)); later lines lie above earlier. */
export function isNoexec(mountinfo: string, folder: string): boolean {
  let best = { point: "", options: "" };
  for (const line of mountinfo.split("\n")) {
    const [, , , , point = "", options = ""] = line.split(" ");
    const isAbove = point === "/" || folder === point || folder.startsWith(`${point}/`);
    if (point !== "" && isAbove && point.length >= best.point.length) best = { point, options };
  }
  return best.options.split(",").includes("noexec");
}

async function readLinks(): Promise<readonly string[]> {
  const table = await readOrNothing("/proc/net/dev");
  return table.split("\n").flatMap((line) => {
    const name = /^\s*([^\s:]+):/.exec(line)?.[1];
    return name === undefined ? [] : [name];
  });
}

/** In a user namespace only the ids that were mapped exist, often root's alone. */
async function hasWorkerUser(): Promise<boolean> {
  const passwd = await readOrNothing("/etc/passwd");
  const [, uid, gid] = new RegExp(`^${WORKER_USER}:[^:]*:(\\d+):(\\d+):`, "m").exec(passwd) ?? [];
  if (uid === undefined || gid === undefined) return false;
  const [uidMap, gidMap] = await Promise.all([
    readOrNothing("/proc/self/uid_map"),
    readOrNothing("/proc/self/gid_map"),
  ]);
  return isMapped(uidMap, Number(uid)) && isMapped(gidMap, Number(gid));
}

/** Lines of a map: first id inside, first id outside, how many (user_namespaces(7)). */
function isMapped(map: string, id: number): boolean {
  return map.split("\n").some((line) => {
    const [first, , count] = line.trim().split(/\s+/).map(Number);
    return first !== undefined && count !== undefined && id >= first && id < first + count;
  });
}

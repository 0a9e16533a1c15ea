// Looks whether the agent can work on this host before anything is touched, and says all that is
// wrong at once. Given the settings that matter. When nothing is wrong it makes the folders and
// sets the sysctls that it may set; else it changes nothing.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeError, makeFolder } from "@fairlead/runtime";
import { type DataPlanePrograms, runDirProblem } from "../data-plane-layout.ts";
import {
  type HostFacts,
  type ProgramName,
  SYSCTLS,
  WORKER_USER,
  readHost,
  sysctlPath,
} from "./host-facts.ts";
import {
  type JudgeOptions,
  type PreflightProblem,
  judgeHost,
  mayChangeUser,
  mayCheckOnReload,
} from "./judge-host.ts";
import { reuseTimeWait } from "./time-wait-reuse.ts";

/** What the preflight needs. */
export interface PreflightOptions {
  readonly runDir: string;
  readonly stateDir: string;
  /** The device given by the operator; absent when none was. */
  readonly link?: string | undefined;
  /** Networks that the agent will use for itself; absent where it uses none. */
  readonly serviceNetworks?: readonly string[] | undefined;
  /** Where its controllers are, each `host:port` or several with commas. */
  readonly controllers?: readonly string[] | undefined;
  /** Value of PATH; the folders of system programs are looked through after it. */
  readonly path: string | undefined;
}

/** What the host has, as the agent needs to know it. */
export interface HostPrograms extends DataPlanePrograms {
  /** The shared object of nginx's stream module, an absolute path. */
  readonly streamModule: string;
  /** nftables' program; absent: nobody hears which router ids other hosts use. */
  readonly nft?: string;
  /** User of nginx's workers; root where no other can be had. */
  readonly nginxUser?: string;
  /** Absent: addresses that the agent adds itself are not announced to IPv4 neighbours. */
  readonly arping?: string;
  /** Absent: addresses that the agent adds itself are not announced to IPv6 neighbours. */
  readonly ndptool?: string;
  /** Whether keepalived can check a file by itself when it reloads. */
  readonly checksOnReload: boolean;
  /** Whether the host speaks IPv6. */
  readonly hasIpv6: boolean;
}

/** The outcome: programs when all is well, else at least one problem. */
export type PreflightResult =
  | { readonly kind: "ready"; readonly programs: HostPrograms }
  | { readonly kind: "unfit"; readonly problems: readonly PreflightProblem[] };

/** Where programs of the system lie, also when PATH does not say so. */
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** Runs the preflight. Never rejects for what the host lacks. */
export async function runPreflight(options: PreflightOptions): Promise<PreflightResult> {
  const { runDir, stateDir } = options;
  const facts = await readHost({ runDir, stateDir, searchPath: searchPathOf(options.path) });
  const problems = judgeHost(facts, judgeOptionsOf(options));
  const programs = programsOf(facts, options);
  if (problems.length > 0 || programs === undefined) return { kind: "unfit", problems };
  const late = await prepare([runDir, stateDir], facts);
  if (late.length > 0) return { kind: "unfit", problems: late };
  return { kind: "ready", programs };
}

/** What the judge is given of these options. */
export function judgeOptionsOf(options: PreflightOptions): JudgeOptions {
  const { runDir, stateDir, link, serviceNetworks, controllers } = options;
  return {
    runDir,
    stateDir,
    link,
    runDirProblem: runDirProblem(runDir),
    serviceNetworks,
    controllers,
  };
}

/** Folders to look for programs in: those of PATH, and then the system's. */
export function searchPathOf(path: string | undefined): readonly string[] {
  const named = (path ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return [...new Set([...named, ...SYSTEM_FOLDERS])];
}

/** A problem as one line: `nginx is not installed (it forwards ...): apt-get install ...`. */
export function problemText(problem: PreflightProblem): string {
  return `${problem.what} (${problem.why}): ${problem.fix}`;
}

function programsOf(
  facts: HostFacts,
  { runDir, stateDir }: PreflightOptions,
): HostPrograms | undefined {
  const path = (name: ProgramName): string => facts.programs.get(name) ?? "";
  const optional = (name: "arping" | "ndptool"): Pick<HostPrograms, "arping" | "ndptool"> => {
    const found = facts.programs.get(name);
    return found === undefined ? {} : { [name]: found };
  };
  if (facts.streamModule === undefined) return undefined;
  return {
    nginx: path("nginx"),
    keepalived: path("keepalived"),
    ip: path("ip"),
    s6Svscan: path("s6-svscan"),
    streamModule: facts.streamModule,
    ...(facts.nft === undefined ? {} : { nft: facts.nft }),
    ...optional("arping"),
    ...optional("ndptool"),
    ...(facts.noexec.has(runDir) ? { scriptDir: join(stateDir, "scripts") } : {}),
    nginxUser: mayChangeUser(facts) ? WORKER_USER : "root",
    checksOnReload: mayCheckOnReload(facts),
    hasIpv6: facts.sysctls.get("net.ipv6.ip_nonlocal_bind")?.value !== undefined,
  };
}

/** The first things that are touched, when nothing was found wrong. */
async function prepare(
  folders: readonly string[],
  facts: HostFacts,
): Promise<readonly PreflightProblem[]> {
  const problems = folders.flatMap((folder) => makeProblem(folder) ?? []);
  if (problems.length > 0) return problems;
  await reuseTimeWait();
  for (const name of SYSCTLS) {
    const fact = facts.sysctls.get(name);
    if (fact?.value === undefined || fact.value === "1") continue;
    try {
      await writeFile(sysctlPath(name), "1\n");
    } catch (error) {
      problems.push({
        check: "nonlocal-bind",
        subject: name,
        what: `the sysctl ${name} is ${fact.value} and cannot be written`,
        why: describeError(error),
        fix: `sysctl -w ${name}=1`,
      });
    }
  }
  return problems;
}

function makeProblem(folder: string): PreflightProblem | undefined {
  try {
    makeFolder(folder);
    return undefined;
  } catch (error) {
    return {
      check: "folder",
      subject: folder,
      what: "a folder of the agent cannot be made",
      why: describeError(error),
      fix: "make it by hand, or give another with --run-dir or --state-dir",
    };
  }
}

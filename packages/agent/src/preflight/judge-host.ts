// What is wrong with the host, all at once: each problem with what, why and what to do. Pure:
// facts in, problems out.

import { type HostFacts, type ProgramName, SYSCTLS } from "./host-facts.ts";
import type { HostCheck } from "./host-line.ts";
import { serviceNetworkProblems } from "./judge-networks.ts";

/** One thing that keeps the agent from working here. */
export interface PreflightProblem {
  readonly check: HostCheck;
  /** The program, sysctl, folder or device that it is about. */
  readonly subject: string;
  /** What is missing or wrong; lower case, no full stop. */
  readonly what: string;
  /** What it is needed for. */
  readonly why: string;
  /** A command or an act that helps. */
  readonly fix: string;
}

/** What the host is judged by, besides its facts. */
export interface JudgeOptions {
  /** Why the run directory cannot be used; see `runDirProblem`. */
  readonly runDirProblem: string | undefined;
  readonly runDir: string;
  readonly stateDir: string;
  /** The device given by the operator. */
  readonly link: string | undefined;
  /** Networks that the host will use for itself; absent where it uses none. */
  readonly serviceNetworks?: readonly string[] | undefined;
  /** Where controllers are, each `host:port`. */
  readonly controllers?: readonly string[] | undefined;
}

/** Why a program is needed, and where it is to be had. */
export interface Need {
  readonly why: string;
  readonly debianPackage: string;
}

/** The programs that nothing works without. */
export const NEEDS: ReadonlyMap<ProgramName, Need> = new Map([
  ["nginx", { why: "it forwards connections to members", debianPackage: "nginx-light" }],
  ["keepalived", { why: "it holds addresses by VRRP", debianPackage: "keepalived" }],
  ["s6-svscan", { why: "it keeps the data plane alive without the agent", debianPackage: "s6" }],
  ["ip", { why: "it removes addresses that a dead keepalived left", debianPackage: "iproute2" }],
]);

/** A capability by its bit in the kernel's masks. */
export interface Capability {
  readonly bit: bigint;
  readonly name: string;
  readonly why: string;
}

/** Bits of capabilities(7) that the agent and its data plane cannot do without. */
export const CAPABILITIES: readonly Capability[] = [
  { bit: 12n, name: "NET_ADMIN", why: "addresses are added and removed with it" },
  { bit: 13n, name: "NET_RAW", why: "keepalived speaks VRRP and ARP with it" },
  { bit: 10n, name: "NET_BIND_SERVICE", why: "nginx binds ports below 1024 with it" },
];
/** What problems and lines call nginx's stream module. */
export const STREAM_MODULE_SUBJECT = "ngx_stream_module";
const KILL = 5n;
const SETGID = 6n;
const SETUID = 7n;

/** The oldest versions that the configuration files are written for. */
const VERSIONS: ReadonlyMap<ProgramName, readonly [number, number, number]> = new Map([
  ["nginx", [1, 18, 0]],
  ["keepalived", [2, 2, 7]],
]);

/** All problems, in the order in which an operator would solve them. */
export function judgeHost(facts: HostFacts, options: JudgeOptions): readonly PreflightProblem[] {
  return [
    ...programProblems(facts),
    ...versionProblems(facts),
    ...capabilityProblems(facts),
    ...sysctlProblems(facts),
    ...folderProblems(facts, options),
    ...linkProblems(facts, options),
    ...serviceNetworkProblems(facts.network, options),
  ];
}

/** Whether nginx's workers may run as another user than root here. */
export function mayChangeUser(facts: HostFacts): boolean {
  return facts.hasWorkerUser && [KILL, SETGID, SETUID].every((bit) => hasCapability(facts, bit));
}

/**
 * Whether keepalived can check a file by itself when it reloads. Its checker sets groups; where it
 * may not, keepalived takes that for a good check and reloads the file it had before.
 */
export function mayCheckOnReload(facts: HostFacts): boolean {
  return facts.allowsSetGroups && [SETGID, SETUID].every((bit) => hasCapability(facts, bit));
}

function programProblems(facts: HostFacts): PreflightProblem[] {
  const missing: (Need & { readonly subject: string; readonly what: string })[] = [];
  for (const [name, need] of NEEDS) {
    if (!facts.programs.has(name)) {
      missing.push({ ...need, subject: name, what: `${name} is not installed` });
    }
  }
  if (facts.streamModule === undefined) {
    missing.push({
      subject: STREAM_MODULE_SUBJECT,
      what: "the stream module of nginx is not installed",
      why: "listeners of TCP and UDP are made of it",
      debianPackage: "libnginx-mod-stream",
    });
  }
  // One line for all of them, so that it is run once.
  const fix = `apt-get install ${missing.map((need) => need.debianPackage).join(" ")}`;
  return missing.map(({ subject, what, why }) => ({ check: "program", subject, what, why, fix }));
}

function versionProblems(facts: HostFacts): PreflightProblem[] {
  return [...VERSIONS].flatMap(([name, oldest]) => {
    if (!facts.programs.has(name)) return [];
    const said = facts.versions.get(name);
    const found = /(\d+)\.(\d+)\.(\d+)/
      .exec(said ?? "")
      ?.slice(1)
      .map(Number);
    const wanted = oldest.join(".");
    if (found !== undefined && !isOlder(found, oldest)) return [];
    return [
      {
        check: "version",
        subject: name,
        what: `${name} is ${found?.join(".") ?? "of an unknown version"}`,
        why: `its configuration is written for ${wanted} and later`,
        fix: `install ${name} ${wanted} or later`,
      },
    ];
  });
}

function isOlder(found: readonly number[], oldest: readonly number[]): boolean {
  for (const [place, wanted] of oldest.entries()) {
    const part = found[place] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}

function capabilityProblems(facts: HostFacts): PreflightProblem[] {
  return CAPABILITIES.filter(({ bit }) => !hasCapability(facts, bit)).map(({ name, why }) => ({
    check: "capability",
    subject: name,
    what: `the capability ${name} is missing`,
    why,
    fix: `run the agent as root, or grant CAP_${name}`,
  }));
}

function hasCapability(facts: HostFacts, bit: bigint): boolean {
  return ((facts.capabilities >> bit) & 1n) === 1n;
}

/** A host without IPv6 has no sysctls of it, and needs none. */
function sysctlProblems(facts: HostFacts): PreflightProblem[] {
  return SYSCTLS.flatMap((name) => {
    const fact = facts.sysctls.get(name);
    if (fact?.value === undefined || fact.value === "1" || fact.writable) return [];
    return [
      {
        check: "nonlocal-bind",
        subject: name,
        what: `the sysctl ${name} is ${fact.value} and cannot be written`,
        why: "standbys listen on addresses that they do not have yet",
        fix: `sysctl -w ${name}=1`,
      },
    ];
  });
}

function folderProblems(facts: HostFacts, options: JudgeOptions): PreflightProblem[] {
  const problems: PreflightProblem[] = [];
  if (options.runDirProblem !== undefined) {
    problems.push({
      check: "folder",
      subject: options.runDir,
      what: `the run directory ${JSON.stringify(options.runDir)} cannot be used`,
      why: options.runDirProblem,
      fix: "give another folder with --run-dir",
    });
  }
  for (const [folder, why] of facts.unwritable) {
    problems.push({
      check: "folder",
      subject: folder,
      what: `the folder ${folder} cannot be written`,
      why,
      fix: `make ${folder} and let the agent's user write it`,
    });
  }
  if (facts.noexec.has(options.runDir) && facts.noexec.has(options.stateDir)) {
    problems.push({
      check: "folder",
      subject: options.runDir,
      what: `neither ${options.runDir} nor ${options.stateDir} may run programs (noexec)`,
      why: "the supervisor runs scripts that lie there",
      fix: "give a folder of another file system with --state-dir",
    });
  }
  return problems;
}

function linkProblems(facts: HostFacts, { link }: JudgeOptions): PreflightProblem[] {
  if (link === undefined || facts.links.includes(link)) return [];
  const others = facts.links.filter((name) => name !== "lo").slice(0, 10);
  return [
    {
      check: "link",
      subject: link,
      what: `there is no device ${link}`,
      why: `--link names it, and the host has ${others.length === 0 ? "none" : others.join(", ")}`,
      fix: "give one of the host's devices with --link",
    },
  ];
}

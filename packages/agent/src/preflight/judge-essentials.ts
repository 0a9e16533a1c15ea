// What the agent cannot start without, as lines: every problem of its own preflight is an error
// here, and what is no problem is shown as it was found. Pure.

import type { HostFacts, ProgramName } from "./host-facts.ts";
import { type HostLine, hostLine } from "./host-line.ts";
import {
  CAPABILITIES,
  type JudgeOptions,
  NEEDS,
  STREAM_MODULE_SUBJECT,
  judgeHost,
} from "./judge-host.ts";

/** Programs that the agent does without, and less: what is lost, and where they are to be had. */
const OPTIONAL: readonly (readonly [name: ProgramName | "nft", lost: string, packet: string])[] = [
  ["nft", "nobody hears which router ids others use, and nothing is guarded", "nftables"],
  ["arping", "addresses without VRRP are not announced to IPv4 neighbours", "iputils-arping"],
  ["ndptool", "addresses without VRRP are not announced to IPv6 neighbours", "libndp-tools"],
];

/** The lines, errors first. */
export function essentialLines(facts: HostFacts, options: JudgeOptions): readonly HostLine[] {
  const problems = judgeHost(facts, options);
  const errors = problems.map(({ check, subject, what, why, fix }) =>
    hostLine(check, { subject, found: what, verdict: "error", why, remedy: fix }),
  );
  const bad = new Set(errors.map(keyOf));
  const others = [
    ...programLines(facts),
    ...capabilityLines(facts),
    ...sysctlLines(facts),
    ...folderLines(options),
    ...linkLines(options),
    ...serviceNetworkLines(options),
  ];
  return [...errors, ...others.filter((line) => !bad.has(keyOf(line)))];
}

const keyOf = ({ check, subject }: HostLine): string => `${check} ${subject}`;

function programLines(facts: HostFacts): HostLine[] {
  const needed = [...NEEDS.keys()].flatMap((name): HostLine[] => {
    const path = facts.programs.get(name);
    if (path === undefined) return [];
    const version = facts.versions.get(name);
    const lines = [hostLine("program", { subject: name, found: path })];
    if (version !== undefined) lines.push(hostLine("version", { subject: name, found: version }));
    return lines;
  });
  const module = facts.streamModule;
  if (module !== undefined) {
    needed.push(hostLine("program", { subject: STREAM_MODULE_SUBJECT, found: module }));
  }
  return [...needed, ...OPTIONAL.map((row) => optionalLine(facts, row))];
}

function optionalLine(facts: HostFacts, [name, lost, packet]: (typeof OPTIONAL)[number]): HostLine {
  const path = name === "nft" ? facts.nft : facts.programs.get(name);
  if (path !== undefined) return hostLine("program", { subject: name, found: path });
  return hostLine("program", {
    subject: name,
    found: `${name} is not installed`,
    verdict: "warning",
    why: lost,
    remedy: `apt-get install ${packet}`,
  });
}

function capabilityLines(facts: HostFacts): HostLine[] {
  return CAPABILITIES.filter(({ bit }) => ((facts.capabilities >> bit) & 1n) === 1n).map(
    ({ name, why }) => hostLine("capability", { subject: name, found: "granted", why }),
  );
}

function sysctlLines(facts: HostFacts): HostLine[] {
  return [...facts.sysctls].map(([subject, { value }]) => {
    const found =
      value === undefined
        ? "not there"
        : value === "1"
          ? "1"
          : `${value}, set when the agent starts`;
    return hostLine("nonlocal-bind", { subject, found });
  });
}

function folderLines({ runDir, stateDir }: JudgeOptions): HostLine[] {
  return [runDir, stateDir].map((subject) => hostLine("folder", { subject, found: "usable" }));
}

function linkLines({ link }: JudgeOptions): HostLine[] {
  return link === undefined ? [] : [hostLine("link", { subject: link, found: "there" })];
}

function serviceNetworkLines({ serviceNetworks = [] }: JudgeOptions): HostLine[] {
  return serviceNetworks.map((subject) =>
    hostLine("service-network", { subject, found: "nothing else is in it" }),
  );
}

// The tables of `fairlead status` and `fairlead agents`, and whether what they show is well. Given
// what the controller answered. Pure.

import type { Reason } from "@fairlead/model";
import {
  type AgentRow,
  type ClaimRow,
  type FindingRow,
  keepalivedWord,
  type ListResponse,
  type RemarkRow,
} from "@fairlead/wire";

import { type Column, formatAge, formatTable } from "./table.ts";

/** Columns of claims. */
export const CLAIM_COLUMNS: readonly Column<ClaimRow>[] = [
  { heading: "NAME", cell: (row) => `${row.namespace}/${row.name}` },
  { heading: "ADDRESS", cell: (row) => row.addresses.map((at) => at.address).join(",") },
  { heading: "PORTS", cell: (row) => row.ports.join(",") },
  { heading: "HOLDER", cell: (row) => holders(row) },
  { heading: "STATE", cell: (row) => row.state },
  { heading: "MEMBERS", cell: (row) => String(row.members), isWide: true },
  { heading: "AGE", cell: (row) => formatAge(Number(row.ageMs)), isWide: true },
  { heading: "ORIGIN", cell: (row) => row.origin, isWide: true },
  { heading: "REASON", cell: (row) => row.main?.reason ?? row.remarks[0]?.reason ?? "" },
];

/** Columns of agents. */
export const AGENT_COLUMNS: readonly Column<AgentRow>[] = [
  { heading: "NAME", cell: (row) => row.name },
  { heading: "STATE", cell: (row) => agentState(row) },
  { heading: "SYNC", cell: (row) => row.sync },
  { heading: "REVISION", cell: (row) => row.appliedRevision },
  { heading: "VIPS", cell: (row) => `${row.vipsHeld}/${row.vipsPlanned}` },
  { heading: "KEEPALIVED", cell: keepalivedWord },
  { heading: "GENERATIONS", cell: generationsCell, isWide: true },
  { heading: "LINKS", cell: (row) => row.links.join(","), isWide: true },
  { heading: "VERSION", cell: (row) => row.version, isWide: true },
  { heading: "LAST-SEEN", cell: (row) => formatAge(Number(row.lastSeenMs)) },
  { heading: "REASON", cell: (row) => row.remarks[0]?.reason ?? "" },
];

/** `3 (48 MB)`. */
function generationsCell({ generationsAlive, generationsBytes }: AgentRow): string {
  if (generationsBytes === 0n) return String(generationsAlive);
  return `${generationsAlive} (${Math.ceil(Number(generationsBytes) / 1_000_000)} MB)`;
}

/** Columns of findings. */
export const FINDING_COLUMNS: readonly Column<FindingRow>[] = [
  { heading: "SUBJECT", cell: (row) => row.subject },
  { heading: "NAME", cell: (row) => row.name },
  { heading: "REASON", cell: (row) => row.remark?.reason ?? "" },
  { heading: "DETAIL", cell: (row) => row.remark?.detail ?? "" },
];

/**
 * Findings by which less is served than is asked for: what cannot be read asks for something, and
 * nobody in the cluster learns of an address that cannot be written, however well it serves.
 */
const UNWELL: ReadonlySet<string> = new Set<Reason>([
  "SourceUnreadable",
  "SourceEmptied",
  "ManifestUnreadable",
  "ManifestTooLarge",
  "ManifestTooComplex",
  "BadPoolRange",
  "PoolOverlap",
  "BadField",
  "BadName",
  "BadAddress",
  "ConflictingWishes",
  "DuplicateObject",
  "DuplicatePort",
  "TooManyPorts",
  "UnsupportedProtocol",
  "PublishFailed",
]);

/**
 * Whether everything that was asked for is read and served, is written where people look for it,
 * and everything that serves is well.
 */
export function isWell(list: ListResponse): boolean {
  return (
    list.controller?.ready === true &&
    !list.controller.standsBy &&
    list.claims.every((row) => row.state === "ready") &&
    !list.findings.some(({ remark }) => UNWELL.has(remark?.reason ?? "")) &&
    list.agents.every((row) => row.state === "connected")
  );
}

/** The whole of `fairlead status`. */
export function formatStatus(
  list: ListResponse,
  options: { readonly wide: boolean; readonly headings: boolean },
): string {
  const claims = formatTable(CLAIM_COLUMNS, list.claims, options);
  // For programs: a sentence would be read as a row.
  if (!options.headings) return claims;
  if (list.controller?.standsBy === true) return formatStandby(list);
  const parts = [claims];
  if (list.claims.length === 0) parts.push("nothing is asked for\n");
  const troubles = list.claims.filter((row) => row.main !== undefined);
  if (troubles.length > 0) parts.push("\n", ...troubles.map(formatTrouble));
  if (list.findings.length > 0) {
    parts.push("\n", formatTable(FINDING_COLUMNS, list.findings, options));
  }
  parts.push("\n", formatAway(list.agents), formatSummary(list));
  return parts.join("");
}

/** One that stands by knows nothing of what is served, and says who does. */
function formatStandby(list: ListResponse): string {
  const findings = formatTable(FINDING_COLUMNS, list.findings);
  const who = whoLeads(list.controller?.leader ?? "");
  const ready = list.controller?.ready === true ? "" : `; ${notReady(list)}`;
  const summary = `this controller stands by; ${who}${ready}\n`;
  return list.findings.length === 0 ? summary : `${findings}\n${summary}`;
}

/** Whom to ask in the place of a controller that stands by; an empty name is nobody's. */
export function whoLeads(leader: string): string {
  return leader === "" ? "nobody leads" : `${leader} leads: ask on its host`;
}

/** The table of `fairlead agents`. */
export function formatAgents(
  rows: readonly AgentRow[],
  options: { readonly wide: boolean; readonly headings: boolean },
): string {
  const table = formatTable(AGENT_COLUMNS, rows, options);
  if (!options.headings) return table;
  const troubles = rows.flatMap((row) =>
    row.remarks.map((remark) => formatRemark(row.name, remark)),
  );
  return troubles.length === 0 ? table : `${table}\n${troubles.join("")}`;
}

/** A remark in its four parts: what, why, what to do, code. */
export function formatRemark(subject: string, remark: RemarkRow): string {
  return [
    `${subject}: ${remark.title} (${remark.code})\n`,
    `  why: ${remark.detail}\n`,
    `  do:  ${remark.remedy}\n`,
  ].join("");
}

function formatTrouble(row: ClaimRow): string {
  const subject = `${row.namespace}/${row.name}`;
  return row.main === undefined ? "" : formatRemark(subject, row.main);
}

/** Hosts that are named in one line. */
const AWAY_NAMED_MAX = 10;

/** Why it is not well while everything is served: no finding tells of an agent so early. */
function formatAway(agents: readonly AgentRow[]): string {
  const away = agents.filter((row) => row.state !== "connected");
  if (away.length === 0) return "";
  const named = away
    .slice(0, AWAY_NAMED_MAX)
    .map((row) => `${row.name} (last seen ${formatAge(Number(row.lastSeenMs))} ago)`);
  const more = away.length > named.length ? [`and ${away.length - named.length} more`] : [];
  return `not connected: ${[...named, ...more].join(", ")}\n`;
}

function formatSummary(list: ListResponse): string {
  const ready = list.claims.filter((row) => row.state === "ready").length;
  const connected = list.agents.filter((row) => row.state === "connected").length;
  const controller = list.controller?.ready === true ? "ready" : notReady(list);
  const agents = `${connected} of ${list.agents.length} agents connected`;
  const who = `controller ${controller}${leads(list)}`;
  return `${ready} of ${list.claims.length} served; ${agents}; ${who}${standing(list)}\n`;
}

/** What operators asked for and what still stands: who wonders why nothing moves, sees it. */
function standing({ agents, controller }: ListResponse): string {
  const drained = agents.filter((row) => row.drainedSinceMs !== undefined).map(({ name }) => name);
  const isFrozen = controller?.frozenSinceMs !== undefined;
  const parts = [
    ...(drained.length === 0 ? [] : [`drained: ${drained.join(", ")}`]),
    ...(isFrozen ? ["frozen: nothing moves before fairlead thaw"] : []),
  ];
  return parts.map((part) => `; ${part}`).join("");
}

/** As kubectl says it of a node that is cordoned. */
function agentState({ state, drainedSinceMs }: AgentRow): string {
  return drainedSinceMs === undefined ? state : `${state},drained`;
}

/** Named where there may be others. */
function leads(list: ListResponse): string {
  const leader = list.controller?.leader ?? "";
  return leader === "" ? "" : `; ${leader} leads`;
}

function notReady(list: ListResponse): string {
  const detail = list.controller?.detail ?? "";
  return detail === "" ? "not ready" : `not ready: ${detail}`;
}

function holders(row: ClaimRow): string {
  return [...new Set(row.addresses.map((at) => at.holder).filter((name) => name !== ""))].join(",");
}

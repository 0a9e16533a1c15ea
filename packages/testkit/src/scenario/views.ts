// What an operator sees of a ring, as lines of text: the tables of the command line without ages,
// the hosts, and what stands published. Pure but for reading the ring.

import { explain, list, listLanes } from "@fairlead/controller";
import { claimTitle, compareText } from "@fairlead/model";
import {
  create,
  ExplainResponseSchema,
  keepalivedWord,
  LinkState,
  ListResponseSchema,
  type ListResponse,
} from "@fairlead/wire";

import { agentOf, type Ring } from "./ring.ts";

/** A view by its words, such as `host lb1`; undefined when there is no such view. */
export function viewOf(
  ring: Ring,
  words: readonly string[],
): (() => readonly string[]) | undefined {
  const [kind, subject] = words;
  if (subject === undefined) {
    if (kind === "status") return () => statusLines(ring);
    if (kind === "findings") return () => findingLines(ring);
    if (kind === "agents") return () => agentLines(ring);
    if (kind === "leases") return () => leaseLines(ring);
    if (kind === "lanes") return () => laneLines(ring);
    if (kind === "acted") return () => orNothing(ring.controller.acted);
    if (kind === "ipam") return () => orNothing(ring.ipam.held());
    if (kind === "told") return () => orNothing(ring.network.told.lines());
    if (kind === "published") return () => publishedLines(ring);
    return undefined;
  }
  if (words.length > 2) return undefined;
  if (kind === "host" && ring.agents.has(subject)) return () => hostLines(ring, subject);
  if (kind === "explain") return () => explainLines(ring, subject);
  return undefined;
}

function hostLines(ring: Ring, name: string): readonly string[] {
  const lines = agentOf(ring, name).host.lines();
  return lines.length === 0 ? NOTHING : lines;
}

const NOTHING = ["nothing"];

function orNothing(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? NOTHING : lines;
}
const NO_CONTROLLER = ["no controller"];

function statusLines(ring: Ring): readonly string[] {
  const listed = listOf(ring);
  if (listed === undefined) return NO_CONTROLLER;
  const rows = listed.claims.map((row) => [
    `${row.namespace}/${row.name}`,
    row.addresses.map(({ address }) => address).join(","),
    row.ports.join(","),
    distinct(row.addresses.map(({ holder }) => holder)).join(","),
    row.state,
    row.main?.reason ?? row.remarks[0]?.reason ?? "",
  ]);
  return table(["NAME", "ADDRESS", "PORTS", "HOLDER", "STATE", "REASON"], rows);
}

function findingLines(ring: Ring): readonly string[] {
  const listed = listOf(ring);
  if (listed === undefined) return NO_CONTROLLER;
  const rows = listed.findings.map(({ subject, name, remark }) => [
    subject,
    name,
    remark?.reason ?? "",
    remark?.detail ?? "",
  ]);
  return rows.length === 0 ? NOTHING : table(["SUBJECT", "NAME", "REASON", "DETAIL"], rows);
}

function agentLines(ring: Ring): readonly string[] {
  const listed = listOf(ring);
  if (listed === undefined) return NO_CONTROLLER;
  const rows = listed.agents.map((row) => [
    row.name,
    row.drainedSinceMs === undefined ? row.state : `${row.state},drained`,
    row.sync,
    `${row.vipsHeld}/${row.vipsPlanned}`,
    keepalivedWord(row),
    row.remarks[0]?.reason ?? "",
  ]);
  return table(["NAME", "STATE", "SYNC", "VIPS", "KEEPALIVED", "REASON"], rows);
}

/** Lanes without their router ids, which are given as they come. */
function laneLines(ring: Ring): readonly string[] {
  const view = ring.controller.context()?.view;
  if (view === undefined) return NO_CONTROLLER;
  if (view.plan === undefined) return NOTHING;
  const { lanes = [] } = listLanes(view);
  const rows = lanes.map(({ holder = "", order = [], movingTo = "", addresses = 0 }) => {
    return [holder, movingTo, String(addresses), order.join(" ")];
  });
  return rows.length === 0 ? NOTHING : table(["HOLDER", "MOVING-TO", "ADDRESSES", "ORDER"], rows);
}

/** The rows of the store itself: what a restart would find. */
function leaseLines(ring: Ring): readonly string[] {
  const rows = [...ring.medium.leases.values()]
    .toSorted((a, b) => compareText(a.address, b.address))
    .map(({ address, state, owners, sentTo }) => [
      address,
      state.kind,
      owners.map(({ claim }) => claimTitle(claim)).join(","),
      sentTo.join(","),
    ]);
  return rows.length === 0 ? NOTHING : table(["ADDRESS", "STATE", "OWNERS", "SENT-TO"], rows);
}

/** What stands where people look for it. */
function publishedLines(ring: Ring): readonly string[] {
  const lines = [...(ring.controller.published?.verdicts.values() ?? [])].flatMap((verdict) => {
    const published = verdict.addresses.filter((one) => one.published);
    const texts = published.map(({ address }) => address);
    return texts.length === 0 ? [] : [`${claimTitle(verdict.claim)} ${texts.join(",")}`];
  });
  return lines.length === 0 ? NOTHING : lines.toSorted(compareText);
}

const SIGNS: Readonly<Record<number, string>> = {
  [LinkState.GOOD]: "ok",
  [LinkState.BROKEN]: "no",
  [LinkState.DOUBT]: "!",
  [LinkState.UNKNOWN]: "?",
};

function explainLines(ring: Ring, subject: string): readonly string[] {
  const context = ring.controller.context();
  if (context === undefined) return NO_CONTROLLER;
  const answer = create(ExplainResponseSchema, explain(context, subject));
  if (!answer.found) return ["not found"];
  const width = Math.max(0, ...answer.steps.map(({ title }) => title.length));
  const lines = answer.steps.map(({ title, state, detail, code }) => {
    const end = code === "" ? "" : ` (${code})`;
    return `${(SIGNS[state] ?? "?").padEnd(2)}  ${title.padEnd(width)}  ${detail}${end}`;
  });
  return [answer.title, ...lines, ...(answer.remedy === "" ? [] : [`Do: ${answer.remedy}`])];
}

function listOf(ring: Ring): ListResponse | undefined {
  const context = ring.controller.context();
  return context && create(ListResponseSchema, list(context, { kinds: [] }));
}

function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const lines = [headings, ...rows.map((row) => row.map((cell) => cell || "-"))];
  const widths = headings.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, at) => cell.padEnd((widths[at] ?? 0) + 3))
      .join("")
      .trimEnd(),
  );
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.filter((text) => text !== ""))];
}

// The reference page of reasons, made from the model's table: one row a reason, in the order of
// their codes. Given the table; returns the page's text. The page is a golden file.

import type { ReasonEntry } from "@fairlead/model";

const GROUPS: readonly (readonly [prefix: string, title: string])[] = [
  ["FL01", "What asks is wrong"],
  ["FL02", "What is asked for cannot be given"],
  ["FL03", "Files and pools"],
  ["FL04", "Where and how"],
  ["FL05", "Members"],
  ["FL06", "Wished for and not served yet"],
];

/** The text of docs/reference/reasons.md. */
export function reasonsPage(reasons: Readonly<Record<string, ReasonEntry>>): string {
  const entries = Object.entries(reasons).toSorted(([, a], [, b]) => (a.code < b.code ? -1 : 1));
  const titles = new Map(GROUPS);
  const lines = [
    "# Reasons",
    "",
    "<!-- Made from packages/model/src/reason-table.ts by `npm run golden`. Do not edit. -->",
    "",
    "Why something is refused, pending, left out or in doubt. The list is closed: no other reason",
    "appears in `status`, `explain`, the status files, logs or reports.",
  ];
  let group = "";
  for (const [name, { code, title, remedy }] of entries) {
    if (code.slice(0, 4) !== group) {
      group = code.slice(0, 4);
      lines.push("", `## ${titles.get(group) ?? group}`, "");
      lines.push("| code | reason | what it means | what to do |", "|---|---|---|---|");
    }
    lines.push(`| ${code} | \`${name}\` | ${cell(title)} | ${cell(remedy)} |`);
  }
  return `${lines.join("\n")}\n`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

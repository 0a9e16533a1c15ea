// Makes the reference page of reasons from the model's table, so that the page and what programs
// say are one text. Given the table; answers with the page. It writes nothing.

import type { ReasonEntry } from "@fairlead/model";

/** Headings by the first two digits of a code, in the order of the page. */
const CHAPTERS: ReadonlyMap<string, string> = new Map([
  ["01", "What asks is wrong"],
  ["02", "What is asked for cannot be given"],
  ["03", "Files and pools"],
  ["04", "Where and how"],
  ["05", "Members"],
  ["06", "Wished for and not served yet"],
]);

const INTRODUCTION = `# Reasons

Whenever something is pending, refused, left out or in doubt, Fairlead says why with one of these
names.
The list is closed.
The same name, code and sentences stand in \`fairlead status\`, in \`fairlead explain\`, in the log and
in the files below \`.status/\`.
A detail follows them there, with the value and the holder.
A code never gets another meaning.

This page is made from \`packages/model/src/reason-table.ts\` by \`npm run golden\`.
`;

/** The page of all reasons, sorted by code. Throws for a code that belongs to no chapter. */
export function reasonsPage(reasons: Readonly<Record<string, ReasonEntry>>): string {
  const rows = Object.entries(reasons).map(([name, entry]) => ({ name, ...entry }));
  const known = new Set(CHAPTERS.keys());
  const stray = rows.find(({ code }) => !known.has(chapterOf(code)));
  if (stray !== undefined) throw new Error(`${stray.name}: no chapter for code ${stray.code}`);
  const chapters = [...CHAPTERS].map(([digits, heading]) => {
    const entries = rows
      .filter(({ code }) => chapterOf(code) === digits)
      .toSorted((a, b) => (a.code < b.code ? -1 : 1))
      .map(({ name, code, title, remedy }) => `### ${code} ${name}\n\n${title}\n\nDo: ${remedy}\n`);
    return [`## ${heading}\n`, ...entries].join("\n");
  });
  return [INTRODUCTION, ...chapters].join("\n");
}

/** The two digits of FL0203 that name its chapter: 02. */
function chapterOf(code: string): string {
  return /^FL(\d\d)\d\d$/.exec(code)?.[1] ?? "";
}

// `fairlead check --host`: whether this host is fit for an agent, a line for everything that was
// looked at. It looks by itself, asks no agent and no controller, and changes nothing.

import { checkHost, type HostLine, type HostVerdict } from "@fairlead/agent";

import type { ExitCode } from "../exit-codes.ts";
import { type CommandContext, exitOf, type OutputForm, writeStructured } from "../output.ts";
import { type Column, formatTable } from "../table.ts";

/** Where an agent would keep its files here, and the form of the answer. */
export interface CheckHostOptions {
  readonly runDir: string;
  readonly stateDir: string;
  readonly link?: string;
  readonly serviceNetworks: readonly string[];
  readonly output: OutputForm;
}

const COLUMNS: readonly Column<HostLine>[] = [
  { heading: "VERDICT", cell: ({ verdict }) => verdict },
  { heading: "CHECK", cell: ({ check }) => check },
  { heading: "SUBJECT", cell: ({ subject }) => subject },
  { heading: "FOUND", cell: ({ found }) => found },
  { heading: "WHY", cell: ({ why }) => why, isWide: true },
  { heading: "REMEDY", cell: ({ remedy }) => remedy },
];

/** Looks and tells; bad when there is an error, good with warnings alone. */
export async function runCheckHost(
  context: CommandContext,
  { output, link, ...folders }: CheckHostOptions,
): Promise<ExitCode> {
  const lines = await checkHost({ ...folders, link, path: process.env["PATH"] });
  return tellHost(context, output, lines);
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** Prints lines; see runCheckHost. */
export function tellHost(
  context: CommandContext,
  output: OutputForm,
  lines: readonly HostLine[],
): ExitCode {
  const count = (wanted: HostVerdict): number =>
    lines.filter(({ verdict }) => verdict === wanted).length;
  const isFit = count("error") === 0;
  const counts = { errors: count("error"), warnings: count("warning"), ok: count("ok") };
  if (!writeStructured(context, output, { fit: isFit, ...counts, lines })) {
    context.out(formatTable(COLUMNS, lines, { wide: output === "wide" }));
    const found = [counted(counts.errors, "error"), counted(counts.warnings, "warning")];
    context.err(`${found.join(", ")}, ${counts.ok} ok\n`);
  }
  return exitOf(isFit);
}

// The text of --help for a table of settings: usage, what the program does, every flag with its
// help in sentences, aligned and within 100 columns. Given the table and a few words. It prints
// nothing itself.

import { CONFIG_SETTING, type SettingsTable } from "./settings.ts";
import { flagOf } from "./setting-names.ts";
import type { Setting } from "./setting-types.ts";

/** The words about a program above its flags. */
export interface ProgramHelp {
  /** The command as typed, with its subcommand: "fairlead status". */
  readonly name: string;
  /** What it does, in sentences. */
  readonly summary: string;
  /** What may stand beside the flags, such as "NAMESPACE/NAME". Default none. */
  readonly positionals?: string;
  /** Sentences after the flags, one paragraph each: examples, exit codes. Default none. */
  readonly notes?: readonly string[];
}

const COLUMNS = 100;
/** A flag longer than this has its help on the next line. */
const FLAG_COLUMNS_MAX = 36;

/** The whole text, with a line end after its last line. */
export function formatHelp(program: ProgramHelp, table: SettingsTable): string {
  const entries = [...Object.entries(table), ["config", CONFIG_SETTING] as const];
  const flags = entries.map(([key, setting]) => ({ label: flagLabel(key, setting), setting }));
  const rows = [
    ...flags.map((flag) => ({ label: flag.label, text: helpText(flag.setting) })),
    { label: "  -h, --help", text: "Prints this text." },
    { label: "  -V, --version", text: "Prints the version." },
  ];
  const fitting = rows.map((row) => row.label.length).filter((size) => size <= FLAG_COLUMNS_MAX);
  const column = Math.max(...fitting) + 2;
  const positionals = program.positionals === undefined ? "" : ` ${program.positionals}`;
  const order =
    "Every flag --foo-bar can also be given as the variable FAIRLEAD_FOO_BAR or as the key " +
    "fooBar in the settings file; the flag counts before the variable, the variable before the " +
    "file.";
  return [
    ...wrap(program.summary, COLUMNS),
    "",
    `Usage: ${program.name}${positionals} [flags]`,
    "",
    "Flags:",
    ...rows.flatMap((row) => formatRow(row, column)),
    "",
    ...wrap(order, COLUMNS),
    ...(program.notes ?? []).flatMap((note) => ["", ...wrap(note, COLUMNS)]),
    "",
  ].join("\n");
}

interface Row {
  readonly label: string;
  readonly text: string;
}

function flagLabel(key: string, setting: Setting<unknown>): string {
  const short = setting.short === undefined ? "    " : `-${setting.short}, `;
  const value = setting.placeholder === undefined ? "" : ` ${setting.placeholder}`;
  return `  ${short}--${flagOf(key)}${value}`;
}

function helpText(setting: Setting<unknown>): string {
  const many = setting.isList ? " May be given many times." : "";
  const initial = setting.defaultText === undefined ? "" : ` Default: ${setting.defaultText}.`;
  return `${setting.help}${many}${initial}`;
}

function formatRow(row: Row, column: number): readonly string[] {
  const indent = " ".repeat(column);
  const lines = wrap(row.text, COLUMNS - column);
  if (row.label.length + 2 > column) return [row.label, ...lines.map((line) => indent + line)];
  const [first = "", ...others] = lines;
  return [row.label.padEnd(column) + first, ...others.map((line) => indent + line)];
}

/** Breaks text at spaces into lines of at most `columns`; a longer word stands alone. */
function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/u)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length > columns && line !== "") {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

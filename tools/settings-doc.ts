// Makes the reference page of settings from the tables that the programs read them by, so that the
// page cannot say something else. Given the tables; answers with the page. It writes nothing.

import { CONFIG_SETTING, flagOf, type SettingsTable, variableOf } from "@fairlead/runtime";

/** A program with its settings. */
export interface DocumentedProgram {
  readonly name: string;
  /** What the program is for, a sentence. */
  readonly purpose: string;
  readonly table: SettingsTable;
  /** Keys whose default is read from the machine and therefore not printed. */
  readonly machineDefaults: readonly string[];
}

const INTRODUCTION = `# Settings

A setting can be given in three ways.
As a flag: \`--foo-bar VALUE\` or \`--foo-bar=VALUE\`.
As a variable: \`FAIRLEAD_FOO_BAR=VALUE\`.
As a key of the YAML file that \`--config FILE\` names: \`fooBar: VALUE\`.
The flag counts before the variable, the variable before the file, the file before the default.
A flag without a value in the table is a switch: it is bare, or \`=true\` or \`=false\`.
Lengths of time have a unit: \`100ms\`, \`10s\`, \`1m30s\`.
A variable of a setting that may be given many times holds its values with spaces between them.
A flag is refused when it is given twice, unless it may be given many times.
A variable that begins with \`FAIRLEAD_\` and that no program reads is warned of in the log.
All mistakes are reported at once, and the program ends with exit code 2.

This page is made from the programs' own tables by \`npm run golden\`.
`;

/** The page of all settings of the given programs, in the order given. */
export function settingsPage(programs: readonly DocumentedProgram[]): string {
  return [INTRODUCTION, ...programs.map(chapter)].join("\n");
}

function chapter({ name, purpose, table, machineDefaults }: DocumentedProgram): string {
  const rows = Object.entries({ ...table, config: CONFIG_SETTING }).map(([key, setting]) => {
    const value = setting.placeholder === undefined ? "" : ` ${setting.placeholder}`;
    const initial = machineDefaults.includes(key) ? undefined : setting.defaultText;
    const many = setting.isList ? " May be given many times." : "";
    const cells = [
      code(`--${flagOf(key)}${value}`),
      code(variableOf(key)),
      initial === undefined ? "" : code(initial),
      escapeCell(`${setting.help}${many}`),
    ];
    return `| ${cells.join(" | ")} |\n`;
  });
  const heading = "| flag | variable | default | what it does |\n|---|---|---|---|\n";
  return `## ${name}\n\n${purpose}\n\n${heading}${rows.join("")}`;
}

function code(text: string): string {
  return `\`${escapeCell(text)}\``;
}

/** A bar would end the cell, also inside code. */
function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

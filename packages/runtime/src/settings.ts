// Turns command line, environment and settings file into the settings of a program, by one table.
// Given all three as values. Flags win over variables, variables over the file, the file over
// defaults. It reports everything that is wrong at once and never ends the program itself.

import { nearestWord } from "./nearest.ts";
import { type Complaint, formatComplaint, quoteValue } from "./setting-complaint.ts";
import { readSettingsFile, type SettingsFile } from "./setting-file.ts";
import { readFlags } from "./setting-flags.ts";
import { flagOf, variableOf } from "./setting-names.ts";
import { type Parsed, type Setting, stringSetting } from "./setting-types.ts";

/** A program's settings by camel-case key; the key "config" is added by itself. */
export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;

/** The values of a table: each key with the type of its setting. */
export type SettingsOf<Table extends SettingsTable> = {
  readonly [Key in keyof Table]: Table[Key] extends Setting<infer Value> ? Value : never;
};

/** The settings file, as far as the table does not cover it. */
export interface ConfigFile {
  readonly path: string;
  /** Values of the extra keys, as YAML gave them: plain data, not checked. */
  readonly rest: Readonly<Record<string, unknown>>;
}

/** What reading the settings gives. */
export type SettingsResult<Table extends SettingsTable> =
  | {
      readonly kind: "ok";
      readonly settings: SettingsOf<Table>;
      readonly positionals: readonly string[];
      /** Undefined when no file was named. */
      readonly configFile: ConfigFile | undefined;
    }
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | {
      readonly kind: "usage";
      /** One line each, in four parts; the program prints them and exits with code 2. */
      readonly errors: readonly string[];
    };

/** From where and by which table settings are read. */
export interface ReadSettingsOptions<Table extends SettingsTable> {
  readonly table: Table;
  /** The arguments after the program (and subcommand). */
  readonly argv: readonly string[];
  /**
   * Mains pass process.env. Variables that the table does not know are ignored;
   * `strangeVariables` finds those that nobody knows.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How many arguments without a flag are taken. Default 0. */
  readonly positionalsMax?: number;
  /** Words that may stand first and make another command of it: for who mistypes one. */
  readonly commands?: readonly string[];
  /** Keys of the file that the caller reads himself, such as "pools". Default none. */
  readonly extraKeys?: readonly string[];
  /** Keys of the file that are another command's, which takes the same file. Default none. */
  readonly otherKeys?: readonly string[];
  /**
   * Says what is wrong with settings together, such as one that another one needs. It is asked
   * also when single ones are wrong, which are absent then, so that all is said at once.
   */
  readonly check?: (given: GivenSettings<Table>) => readonly Complaint[];
}

/** Settings that were read well, and the file's extra keys. */
export interface GivenSettings<Table extends SettingsTable> {
  readonly settings: Partial<SettingsOf<Table>>;
  /** Keys that a flag, a variable or the file gives; the others have their defaults. */
  readonly named: ReadonlySet<string>;
  readonly rest: Readonly<Record<string, unknown>>;
  /** The settings file; undefined when none was named. */
  readonly configPath: string | undefined;
}

/** The setting that names the settings file; every program has it. */
export const CONFIG_SETTING: Setting<string | undefined> = stringSetting({
  default: undefined,
  placeholder: "FILE",
  help: "Reads settings from this YAML file; its keys are the flags in camel case.",
});

/** Reads the settings of a program. Only the settings file is touched, and only for reading. */
export function readSettings<Table extends SettingsTable>(
  options: ReadSettingsOptions<Table>,
): SettingsResult<Table> {
  const { table, env } = options;
  const withConfig: SettingsTable = { ...table, config: CONFIG_SETTING };
  const flags = readFlags(options.argv, withConfig);
  if (flags.wantsHelp) return { kind: "help" };
  if (flags.wantsVersion) return { kind: "version" };
  const variables = readVariables(withConfig, env);
  const path = (flags.texts.get("config") ?? variables.get("config"))?.at(-1);
  const file = path === undefined ? undefined : readFile(path, options);
  const complaints = [
    ...flags.complaints,
    ...surplus(flags.positionals, options),
    ...(file?.complaints ?? []),
  ];
  const values = new Map<string, unknown>();
  const named = new Set<string>();
  for (const [key, setting] of Object.entries(table)) {
    const given = pick(key, [
      { texts: flags.texts, where: `--${flagOf(key)}` },
      { texts: variables, where: `variable ${variableOf(key)}` },
      { texts: file?.texts ?? new Map(), where: `key ${key} in ${quoteValue(path ?? "")}` },
    ]);
    if (given !== undefined) named.add(key);
    const parsed: Parsed<unknown> =
      given === undefined
        ? { ok: true, value: setting.default }
        : setting.parse(setting.isList ? given.texts : given.texts.slice(-1));
    if (parsed.ok) values.set(key, parsed.value);
    else complaints.push(badValue(given, parsed.expected, setting));
  }
  // The table names each key's type, and each value came from the parser of its own key.
  const settings = Object.fromEntries(values) as SettingsOf<Table>;
  const given = { settings, named, rest: file?.rest ?? {}, configPath: path };
  complaints.push(...(options.check?.(given) ?? []));
  if (complaints.length > 0) return { kind: "usage", errors: complaints.map(formatComplaint) };
  return {
    kind: "ok",
    settings,
    positionals: flags.positionals,
    configFile: file === undefined || path === undefined ? undefined : { path, rest: file.rest },
  };
}

interface Given {
  readonly where: string;
  readonly texts: readonly string[];
}

interface Origin {
  readonly where: string;
  readonly texts: ReadonlyMap<string, readonly string[]>;
}

function pick(key: string, origins: readonly Origin[]): Given | undefined {
  for (const { where, texts } of origins) {
    const own = texts.get(key);
    if (own !== undefined) return { where, texts: own };
  }
  return undefined;
}

/** A variable of a list holds values with white space between them; an empty one is unset. */
function readVariables(
  table: SettingsTable,
  env: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, readonly string[]> {
  const texts = new Map<string, readonly string[]>();
  for (const [key, setting] of Object.entries(table)) {
    const text = env[variableOf(key)] ?? "";
    const parts = setting.isList ? text.split(/\s+/u).filter((part) => part !== "") : [text];
    if (text !== "" && parts.length > 0) texts.set(key, parts);
  }
  return texts;
}

function readFile<Table extends SettingsTable>(
  path: string,
  options: ReadSettingsOptions<Table>,
): SettingsFile {
  const { table, extraKeys = [], otherKeys = [] } = options;
  return readSettingsFile({ path, keys: Object.keys(table), extraKeys, otherKeys });
}

function surplus(
  positionals: readonly string[],
  { positionalsMax = 0, commands = [] }: Pick<ReadSettingsOptions<SettingsTable>, SurplusKeys>,
): readonly Complaint[] {
  return positionals.slice(positionalsMax).map((text) => ({
    what: `argument ${quoteValue(text)}`,
    why: positionalsMax === 0 ? "no arguments are taken" : `only ${positionalsMax} are taken`,
    todo: surplusRemedy(text, commands),
    code: "UnexpectedArgument",
  }));
}

type SurplusKeys = "positionalsMax" | "commands";

function surplusRemedy(text: string, commands: readonly string[]): string {
  if (commands.includes(text)) return `write ${text} first, before all flags`;
  const nearest = nearestWord(text, commands);
  if (nearest !== undefined) return `did you mean ${nearest}?`;
  return "leave it out, or write it behind the flag that it belongs to, as --flag=VALUE";
}

function badValue(
  given: Given | undefined,
  expected: string,
  setting: Setting<unknown>,
): Complaint {
  const texts = given?.texts ?? [];
  const shown = setting.isList ? texts.join(" ") : (texts.at(-1) ?? "");
  return {
    what: given?.where ?? "default",
    why: `${quoteValue(shown)} cannot be used`,
    todo: `give ${expected}`,
    code: "BadValue",
  };
}

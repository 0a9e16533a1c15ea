// Reads the settings file of a program: YAML of bounded size with keys like fooBar. Given the path
// and the keys that are known. A key that it does not know is an error, never ignored.

import { readFileSync, statSync } from "node:fs";
import { parseDocument } from "yaml";
import { fileError } from "./atomic-file.ts";
import { describeError } from "./errors.ts";
import { nearestWord } from "./nearest.ts";
import { type Complaint, quoteValue } from "./setting-complaint.ts";

/** What the file holds. */
export interface SettingsFile {
  /** Values of the table's keys as texts, as a flag would give them. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
  /** The values of the extra keys, as YAML gave them: plain data, not checked. */
  readonly rest: Readonly<Record<string, unknown>>;
  readonly complaints: readonly Complaint[];
}

/** What to read, and which keys mean something. */
export interface SettingsFileOptions {
  readonly path: string;
  /** Keys of the settings table. */
  readonly keys: readonly string[];
  /** Keys that the caller reads himself. */
  readonly extraKeys: readonly string[];
  /** Keys of other commands that take the same file: passed over. */
  readonly otherKeys: readonly string[];
}

/** A settings file above this is a mistake. */
const FILE_BYTES_MAX = 1024 * 1024;
/** Aliases may blow the document up; nobody needs many in a settings file. */
const ALIASES_MAX = 50;

/** Reads the file. Everything that is wrong comes back as complaints. */
export function readSettingsFile(options: SettingsFileOptions): SettingsFile {
  const content = readRecord(options.path);
  if (!content.ok) return { texts: new Map(), rest: {}, complaints: [content.complaint] };
  const texts = new Map<string, readonly string[]>();
  const rest: Record<string, unknown> = {};
  const complaints: Complaint[] = [];
  for (const [key, value] of Object.entries(content.record)) {
    if (options.extraKeys.includes(key)) {
      rest[key] = value;
    } else if (options.keys.includes(key)) {
      const list = textsOf(value);
      if (list === undefined) complaints.push(badShape(options.path, key, value));
      else if (list.length > 0) texts.set(key, list);
    } else if (!options.otherKeys.includes(key)) {
      complaints.push(unknownKey(options, key));
    }
  }
  return { texts, rest, complaints };
}

type FileContent =
  | { readonly ok: true; readonly record: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly complaint: Complaint };

function readRecord(path: string): FileContent {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return badFile(path, "it is not a regular file");
    if (stat.size > FILE_BYTES_MAX) {
      return badFile(path, `it has more than ${FILE_BYTES_MAX} bytes`);
    }
    const document = parseDocument(readFileSync(path, "utf8"), { logLevel: "error" });
    const [first] = document.errors;
    if (first !== undefined) return badFile(path, `it is no YAML: ${describeYamlError(first)}`);
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
    if (value === null || value === undefined) return { ok: true, record: {} };
    if (typeof value !== "object" || Array.isArray(value)) {
      return badFile(path, "it must hold keys with values, such as logLevel: info");
    }
    return { ok: true, record: { ...value } };
  } catch (error) {
    return badFile(path, describeError(fileError(error, "it cannot be used")));
  }
}

/** The first line of the parser's message: what is wrong and where; the rest quotes the file. */
function describeYamlError(error: Error): string {
  return describeError(error.message.split("\n", 1)[0]?.replace(/:$/u, "") ?? "");
}

function badFile(path: string, why: string): FileContent {
  const what = `settings file ${quoteValue(path)}`;
  const todo = "mend the file or leave --config out";
  return { ok: false, complaint: { what, why, todo, code: "BadConfigFile" } };
}

function textsOf(value: unknown): readonly string[] | undefined {
  if (value === null) return [];
  if (!Array.isArray(value)) {
    const text = textOf(value);
    return text === undefined ? undefined : [text];
  }
  const texts = value.map((part: unknown) => textOf(part));
  const good = texts.filter((text) => text !== undefined);
  return good.length === texts.length ? good : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function badShape(path: string, key: string, value: unknown): Complaint {
  return {
    what: `key ${key} in ${quoteValue(path)}`,
    why: `${quoteValue(JSON.stringify(value))} is neither a value nor a list of values`,
    todo: `write it as the flag would take it, or leave it out`,
    code: "BadValue",
  };
}

function unknownKey(options: SettingsFileOptions, key: string): Complaint {
  const known = [...options.keys, ...options.extraKeys];
  const nearest = nearestWord(key, known);
  return {
    what: `key ${quoteValue(key)} in ${quoteValue(options.path)}`,
    why: "there is no such setting",
    todo: nearest === undefined ? "see --help for all settings" : `did you mean ${nearest}?`,
    code: "UnknownKey",
  };
}

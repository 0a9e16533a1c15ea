// Reads the text of a kubeconfig as plain values and finds the context that is asked for. Given
// text of bounded size. It looks at the chosen entries alone, so that a broken one that nobody uses
// hurts nobody. Messages never quote the file, as any line of it may be a secret.

import { quoteValue } from "@fairlead/runtime";
import { LineCounter, parseDocument } from "yaml";
import { accessError } from "./access-error.ts";

/** A mapping of a kubeconfig, not checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** The three parts of one context. */
export interface ChosenContext {
  readonly name: string;
  readonly clusterName: string;
  readonly cluster: Fields;
  /** Undefined when the context names no user. */
  readonly userName: string | undefined;
  /** Empty when the context names no user. */
  readonly user: Fields;
}

/** Aliases may blow the document up; nobody needs many in a kubeconfig. */
const ALIASES_MAX = 50;
const NAMES_SHOWN_MAX = 10;

/** Parses and chooses. `file` names the file in messages. Throws MALFORMED or NO_CONTEXT. */
export function chooseContext(
  text: string,
  file: string,
  wanted: string | undefined,
): ChosenContext {
  const config = parseKubeconfig(text, file);
  const contexts = config["contexts"];
  const current = config["current-context"];
  const name = wanted ?? (typeof current === "string" && current !== "" ? current : undefined);
  if (name === undefined) {
    const todo = `set current-context, or ask for one of those there are: ${namesOf(contexts)}`;
    throw accessError("NO_CONTEXT", `${file} does not say which context to use: ${todo}`);
  }
  const context = find(contexts, name, "context");
  if (context === undefined) {
    const there = `there are: ${namesOf(contexts)}`;
    throw accessError("NO_CONTEXT", `${file} has no context ${quoteValue(name)}; ${there}`);
  }
  const where = `context ${quoteValue(name)} of ${file}`;
  const clusterName = textField(context, "cluster", where);
  if (clusterName === undefined) throw accessError("MALFORMED", `${where} names no cluster`);
  const userName = textField(context, "user", where);
  const part = (list: unknown, kind: "cluster" | "user", of: string): Fields => {
    const found = find(list, of, kind);
    if (found !== undefined) return found;
    const what = `${where} names the ${kind} ${quoteValue(of)}, which does not exist`;
    throw accessError("MALFORMED", `${what}; there are: ${namesOf(list)}`);
  };
  return {
    name,
    clusterName,
    cluster: part(config["clusters"], "cluster", clusterName),
    userName,
    user: userName === undefined ? {} : part(config["users"], "user", userName),
  };
}

function parseKubeconfig(text: string, file: string): Fields {
  const value = parseYaml(text, file);
  if (!isFields(value)) {
    throw accessError("MALFORMED", `${file} is no kubeconfig: it holds no mapping`);
  }
  const kind = value["kind"];
  if (kind !== undefined && kind !== "Config") {
    const found = typeof kind === "string" ? quoteValue(kind) : "no text";
    throw accessError("MALFORMED", `${file} is no kubeconfig: its kind is ${found}, not "Config"`);
  }
  if (!Array.isArray(value["contexts"]) || !Array.isArray(value["clusters"])) {
    throw accessError("MALFORMED", `${file} is no kubeconfig: it has no clusters or no contexts`);
  }
  return value;
}

function parseYaml(text: string, file: string): unknown {
  try {
    const lines = new LineCounter();
    // Its own check of keys compares each with each: 15 s for a file of 40 000 keys. Pretty errors
    // quote the file.
    const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false };
    const document = parseDocument(text, { ...options, logLevel: "silent" });
    const [error] = document.errors;
    if (error !== undefined) {
      const line = lines.linePos(error.pos[0]).line;
      throw accessError("MALFORMED", `${file} is no YAML: line ${line}: ${error.code}`);
    }
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    // Anything else was raised by depth or by aliases.
    if (error instanceof Error && error.name === "EdgeError") throw error;
    throw accessError("MALFORMED", `${file} is nested too deeply or has too many aliases`);
  }
}

/** The entry of a list with this name, and in it the mapping `key`. An absent one is empty. */
function find(list: unknown, name: string, key: string): Fields | undefined {
  if (!Array.isArray(list)) return undefined;
  const entry = list.filter(isFields).find((each) => each["name"] === name);
  if (entry === undefined) return undefined;
  const inner = entry[key];
  return isFields(inner) ? inner : {};
}

function namesOf(list: unknown): string {
  const names = (Array.isArray(list) ? list : [])
    .filter(isFields)
    .map((entry) => entry["name"])
    .filter((name) => typeof name === "string");
  if (names.length === 0) return "none";
  const shown = names.slice(0, NAMES_SHOWN_MAX).map((name) => quoteValue(name));
  const left = names.length - shown.length;
  return left === 0 ? shown.join(", ") : `${shown.join(", ")} and ${left} more`;
}

/** A field that is a text. Absent, null and empty are undefined. `where` begins the message. */
export function textField(fields: Fields, key: string, where: string): string | undefined {
  const value = fields[key];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  throw accessError("MALFORMED", `${where}: ${key} must be a text`);
}

/** Whether a value is a mapping. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

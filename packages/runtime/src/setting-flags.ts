// Splits a command line into flags and positionals by a table of settings. Given the arguments
// after the program's name. It reads no values; texts are handed on by key.

import { nearestWord } from "./nearest.ts";
import { type Complaint, quoteValue } from "./setting-complaint.ts";
import { flagOf } from "./setting-names.ts";
import type { Setting } from "./setting-types.ts";

/** Values of one flag that are shown. */
const VALUES_SHOWN_MAX = 3;

/** What the command line holds. */
export interface Flags {
  /** The texts of each key, in the order given. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
  /** Whether --help or -h stands among the flags. */
  readonly wantsHelp: boolean;
  /** Whether --version or -V does. */
  readonly wantsVersion: boolean;
  readonly complaints: readonly Complaint[];
}

interface Token {
  /** As written, with its dashes, without a value. */
  readonly written: string;
  readonly key: string | undefined;
  readonly inline: string | undefined;
}

/** Reads `--foo-bar=x`, `--foo-bar x`, `-f x`, `-f=x`; after `--` all arguments are positionals. */
export function readFlags(
  argv: readonly string[],
  table: Readonly<Record<string, Setting<unknown>>>,
): Flags {
  const byFlag = namesOf(table);
  const texts = new Map<string, readonly string[]>();
  const positionals: string[] = [];
  const complaints: Complaint[] = [];
  let wantsHelp = false;
  let wantsVersion = false;
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? "";
    if (argument === "--") {
      positionals.push(...argv.slice(index + 1));
      break;
    }
    if (!looksLikeFlag(argument)) {
      positionals.push(argument);
      continue;
    }
    const token = split(argument, byFlag);
    if (token.key === undefined) {
      if (token.written === "--help" || token.written === "-h") wantsHelp = true;
      else if (token.written === "--version" || token.written === "-V") wantsVersion = true;
      else complaints.push(unknownFlag(token.written, [...byFlag.keys()]));
      continue;
    }
    const value = token.inline ?? valueAfter(argv, index, table[token.key]);
    if (value === undefined) {
      complaints.push(missingValue(token.written, table[token.key]));
      continue;
    }
    if (token.inline === undefined && table[token.key]?.placeholder !== undefined) index += 1;
    texts.set(token.key, [...(texts.get(token.key) ?? []), value]);
  }
  complaints.push(...givenTwice(texts, table));
  return { texts, positionals, wantsHelp, wantsVersion, complaints };
}

/** The last one would win without a word, and nobody may have meant it. */
function givenTwice(
  texts: ReadonlyMap<string, readonly string[]>,
  table: Readonly<Record<string, Setting<unknown>>>,
): readonly Complaint[] {
  return [...texts].flatMap(([key, given]): Complaint[] => {
    if (given.length < 2 || table[key]?.isList === true) return [];
    const shown = given.slice(0, VALUES_SHOWN_MAX).map(quoteValue).join(", ");
    const why = `it is given ${given.length} times and may be given once: ${shown}`;
    return [{ what: `--${flagOf(key)}`, why, todo: "give it once", code: "ConflictingSettings" }];
  });
}

function namesOf(table: Readonly<Record<string, Setting<unknown>>>): ReadonlyMap<string, string> {
  const byFlag = new Map<string, string>();
  for (const [key, setting] of Object.entries(table)) {
    byFlag.set(`--${flagOf(key)}`, key);
    if (setting.short !== undefined) byFlag.set(`-${setting.short}`, key);
  }
  return byFlag;
}

/** A dash alone means standard input, and a negative number is a value. */
function looksLikeFlag(argument: string): boolean {
  return /^-[^\d]/u.test(argument);
}

function split(argument: string, byFlag: ReadonlyMap<string, string>): Token {
  const equals = argument.indexOf("=");
  const written = equals === -1 ? argument : argument.slice(0, equals);
  const inline = equals === -1 ? undefined : argument.slice(equals + 1);
  return { written, key: byFlag.get(written), inline };
}

function valueAfter(
  argv: readonly string[],
  index: number,
  setting: Setting<unknown> | undefined,
): string | undefined {
  if (setting?.placeholder === undefined) return "true";
  const next = argv[index + 1];
  return next === undefined || looksLikeFlag(next) ? undefined : next;
}

function unknownFlag(written: string, known: readonly string[]): Complaint {
  const nearest = nearestWord(written, known);
  return {
    what: `flag ${quoteValue(written)}`,
    why: "there is no such flag",
    todo: nearest === undefined ? "see --help for all flags" : `did you mean ${nearest}?`,
    code: "UnknownFlag",
  };
}

function missingValue(written: string, setting: Setting<unknown> | undefined): Complaint {
  return {
    what: written,
    why: "it needs a value and none was given",
    todo: `write ${written}=${setting?.placeholder ?? "VALUE"}`,
    code: "MissingValue",
  };
}

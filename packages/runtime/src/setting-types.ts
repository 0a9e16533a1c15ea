// The kinds of settings a program can have: each knows its default, its help and how to read its
// text. Given the options of one setting. A program's table maps camel-case names to these; flag,
// variable and file key all follow from that name.

import { DURATION_FORMS, DURATION_MAX_TEXT, formatDuration, parseDuration } from "./duration.ts";
import { formatHostPort, HOST_PORT_FORMS, type HostPort, parseHostPort } from "./host-port.ts";

/** What reading a text gives: the value, or what would have been right (for "expected ..."). */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly expected: string };

/** One setting with values of type `T`. Made by the functions of this file. */
export interface Setting<T> {
  readonly default: T;
  /** What it does, in sentences, for --help. */
  readonly help: string;
  /** Stands for the value in --help; undefined for boolean flags, which need no value. */
  readonly placeholder: string | undefined;
  /** One letter for `-x`. */
  readonly short: string | undefined;
  /** Whether several values may be given; `parse` then gets all of them, else the last one. */
  readonly isList: boolean;
  /** Reads the texts of one source (flag, variable or file); never an empty list. */
  readonly parse: (texts: readonly string[]) => Parsed<T>;
  /** The default as --help shows it; undefined shows none. */
  readonly defaultText: string | undefined;
}

/** What every setting is made from. */
export interface SettingOptions<T> {
  /** Taken when no source gives the setting; `undefined` means "not set". */
  readonly default: T;
  readonly help: string;
  readonly placeholder?: string;
  readonly short?: string;
}

/** Options of settings that are text. */
export interface TextOptions<T> extends SettingOptions<T> {
  /** Says what would be right when a text is wrong, else undefined. */
  readonly check?: (text: string) => string | undefined;
}

/** A setting that is any text, or of a grammar that `check` knows. */
export function stringSetting<D extends string | undefined>(
  options: TextOptions<D>,
): Setting<string | D> {
  return scalar<string | D>(options, "TEXT", (text) => checked(text, options.check), {
    show: (value) => value,
  });
}

/** A flag that is bare or `=true|false`. */
export function booleanSetting(options: SettingOptions<boolean>): Setting<boolean> {
  const made = scalar(options, "", readBoolean, { show: (value) => (value ? "true" : undefined) });
  return { ...made, placeholder: undefined };
}

/** A whole number between `min` and `max`, both included. */
export function integerSetting<D extends number | undefined>(
  options: SettingOptions<D> & { readonly min: number; readonly max: number },
): Setting<number | D> {
  const { min, max } = options;
  const expected = `a whole number from ${min} to ${max}`;
  const read = (text: string): Parsed<number> => {
    const value = /^-?\d{1,15}$/u.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? { ok: true, value } : { ok: false, expected };
  };
  return scalar<number | D>(options, "N", read, { show: String });
}

/** A length of time; the value is in milliseconds. `minMs` defaults to 0, `maxMs` to ten
 * years. */
export function durationSetting<D extends number | undefined>(
  options: SettingOptions<D> & { readonly minMs?: number; readonly maxMs?: number },
): Setting<number | D> {
  const { minMs = 0, maxMs = Number.POSITIVE_INFINITY } = options;
  const low = minMs > 0 ? `, at least ${formatDuration(minMs)}` : "";
  const high = `, at most ${Number.isFinite(maxMs) ? formatDuration(maxMs) : DURATION_MAX_TEXT}`;
  const read = (text: string): Parsed<number> => {
    const value = parseDuration(text);
    if (value !== undefined && value >= minMs && value <= maxMs) return { ok: true, value };
    return { ok: false, expected: `${DURATION_FORMS}${low}${high}` };
  };
  return scalar<number | D>(options, "TIME", read, { show: (value) => formatDuration(value) });
}

/** A flag that may be given many times; the value is the list of texts in order. */
export function listSetting(options: TextOptions<readonly string[]>): Setting<readonly string[]> {
  const parse = (texts: readonly string[]): Parsed<readonly string[]> => {
    for (const text of texts) {
      const one = checked(text, options.check);
      if (!one.ok) return one;
    }
    return { ok: true, value: texts };
  };
  return {
    default: options.default,
    help: options.help,
    placeholder: options.placeholder ?? "TEXT",
    short: options.short,
    isList: true,
    parse,
    defaultText: options.default.length === 0 ? undefined : options.default.join(" "),
  };
}

/** One word out of a closed list. */
export function choiceSetting<
  const Choice extends string,
  D extends Choice | undefined = Choice | undefined,
>(options: SettingOptions<D> & { readonly choices: readonly Choice[] }): Setting<Choice | D> {
  const read = (text: string): Parsed<Choice> => {
    const value = options.choices.find((choice) => choice === text);
    if (value !== undefined) return { ok: true, value };
    return { ok: false, expected: `one of ${options.choices.join(", ")}` };
  };
  return scalar<Choice | D>(options, options.choices.join("|"), read, { show: String });
}

/**
 * A host and a port; `hostDefault` (default "", all addresses) is the host when only a port is
 * given.
 */
export function hostPortSetting<D extends HostPort | undefined>(
  options: SettingOptions<D> & { readonly hostDefault?: string },
): Setting<HostPort | D> {
  const read = (text: string): Parsed<HostPort> => {
    const value = parseHostPort(text, options.hostDefault);
    return value === undefined ? { ok: false, expected: HOST_PORT_FORMS } : { ok: true, value };
  };
  return scalar<HostPort | D>(options, "HOST:PORT", read, { show: formatHostPort });
}

function scalar<T>(
  options: SettingOptions<T>,
  placeholder: string,
  read: (text: string) => Parsed<T>,
  how: { readonly show: (value: NonNullable<T>) => string | undefined },
): Setting<T> {
  const { default: initial } = options;
  const shown = initial === undefined || initial === null ? undefined : how.show(initial);
  return {
    default: initial,
    help: options.help,
    placeholder: options.placeholder ?? placeholder,
    short: options.short,
    isList: false,
    // Of a file's list the last one counts; a flag given twice is refused before.
    parse: (texts) => read(texts.at(-1) ?? ""),
    defaultText: shown === "" ? undefined : shown,
  };
}

function checked(text: string, check: TextOptions<unknown>["check"]): Parsed<string> {
  const expected = check?.(text);
  return expected === undefined ? { ok: true, value: text } : { ok: false, expected };
}

function readBoolean(text: string): Parsed<boolean> {
  if (text === "true") return { ok: true, value: true };
  if (text === "false") return { ok: true, value: false };
  return { ok: false, expected: "true or false" };
}

// Turns one JSON record of the log into one readable line: time, level, message, key=value. Given
// pino's output. Every value is escaped; the result never contains a line end.

import { escapeBounded, escapeControls } from "./escape.ts";

const VALUE_CHARACTERS_MAX = 4000;
const BARE = /^[^\s"=\\]+$/u;

/** One line for one record, without its line end. A record that is no JSON is shown escaped. */
export function formatLogLine(json: string): string {
  const record = parseRecord(json);
  if (record === undefined) return escapeControls(json.trimEnd());
  const { time, level, msg, ...fields } = record;
  const head = `${scalar(time)} ${scalar(level).toUpperCase().padEnd(5)} ${scalar(msg)}`;
  const tail = Object.entries(fields).map(([key, value]) => `${escapeKey(key)}=${quote(value)}`);
  return [head, ...tail].join(" ");
}

function parseRecord(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
    return isRecord ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function scalar(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return escapeBounded(text, VALUE_CHARACTERS_MAX);
}

function escapeKey(key: string): string {
  return BARE.test(key) ? scalar(key) : JSON.stringify(scalar(key));
}

function quote(value: unknown): string {
  const text = scalar(value);
  if (typeof value !== "string") return text;
  // The escapes of control characters are kept as they are; only quotes need one more.
  return BARE.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
}

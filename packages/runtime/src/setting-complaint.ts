// The sentences in which settings are refused: what, why with the value, what to do, a code. Given
// the parts. Values are escaped and shortened, since they come from anywhere.

import { escapeBounded } from "./escape.ts";

/** The closed list of what can be wrong with settings. */
export type SettingCode =
  | "UnknownFlag"
  | "MissingValue"
  | "BadValue"
  | "UnexpectedArgument"
  | "UnknownKey"
  | "BadConfigFile"
  | "MissingSetting"
  | "ConflictingSettings"
  | "NotBuiltYet";

/** The parts of one refusal. */
export interface Complaint {
  /** The thing that is wrong, such as `--listen-rest`. */
  readonly what: string;
  /** Why it is not taken; holds the value. */
  readonly why: string;
  /** What somebody should do now. */
  readonly todo: string;
  readonly code: SettingCode;
}

const VALUE_CHARACTERS_MAX = 80;

/** The refusal as one line. */
export function formatComplaint(complaint: Complaint): string {
  return `${complaint.what}: ${complaint.why}; ${complaint.todo} [${complaint.code}]`;
}

/** A user and a password in a URL, which no log may have. */
const USER_IN_URL = /\/\/[^/@\s]*@/gu;

/**
 * A value from outside as it stands in a refusal: escaped, at most 80 characters, in quotes, and
 * without users and passwords of URLs.
 */
export function quoteValue(text: string): string {
  return `"${escapeBounded(text.replace(USER_IN_URL, "//***@"), VALUE_CHARACTERS_MAX)}"`;
}

// Tells of variables that no program reads: whoever mistypes one has its default, without a word.

import { escapeBounded } from "./escape.ts";
import { strangeVariables } from "./known-variables.ts";
import type { Logger } from "./log.ts";

const NAME_CHARACTERS_MAX = 80;

/** Warns of each, with what was most likely meant. */
export function warnOfStrangeVariables(
  log: Pick<Logger, "warn">,
  env: Readonly<Record<string, string | undefined>>,
): void {
  for (const { variable, nearest } of strangeVariables(env)) {
    const hint = nearest === undefined ? "see --help for all" : `did you mean ${nearest}?`;
    const shown = escapeBounded(variable, NAME_CHARACTERS_MAX);
    log.warn({ variable: shown }, `no program reads this variable; ${hint}`);
  }
}

// What keepalived says in its log about a file that it was told to read. Given lines from after
// the signal; pure. Its words are those of 2.2 and 2.3.

/** `waiting`: nothing was said yet. */
export type Verdict = "taken" | "refused" | "waiting";

/** At a first start, or after a reload. A date may stand before it. */
const TAKEN = /(?:^|: )(?:Startup complete|Reload complete)$/;
/** Without an instance there is no child that could say more. */
const TAKEN_EMPTY = /(?:^|: )(?:Warning - keepalived has no configuration to run|Reloading)/;
/** The parent's word that it has the signal. Its child's alone may be about the one before. */
const RELOADING = /(?:^|: )Reloading/;
/**
 * The third is said by its own checker where it may not set groups (a normal user's namespace):
 * keepalived then reloads what it had, and calls that complete.
 */
const REFUSED = /New config failed validation|daemon is already running|Couldn't setgroups/;

/** `isEmpty`: the file lists no instance. */
export function verdictOf(lines: readonly string[], isEmpty: boolean): Verdict {
  if (lines.some((line) => REFUSED.test(line))) return "refused";
  if (lines.some((line) => TAKEN.test(line))) return "taken";
  return isEmpty && lines.some((line) => TAKEN_EMPTY.test(line)) ? "taken" : "waiting";
}

/** What was said from the first word of a reload on: none of it is about its start. */
export function sinceReload(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => RELOADING.test(line));
  return first === -1 ? [] : lines.slice(first);
}

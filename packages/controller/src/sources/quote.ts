// Puts user text into details and findings. Given any text from a manifest or a path. It never
// lets through a control character, a line end or a quote of the text's own.

import { escapeBounded, escapeControls } from "@fairlead/runtime";

/** Longest user text in a detail, in characters before escaping. */
const QUOTED_CHARACTERS_MAX = 100;
/** Longest path or name in a finding, in characters. */
const TITLE_CHARACTERS_MAX = 300;

/**
 * User text in double quotes, escaped as JSON does it, of at most 100 characters; what was cut
 * shows as "..." behind the closing quote.
 */
export function quote(text: string): string {
  const cut = text.slice(0, QUOTED_CHARACTERS_MAX);
  const escaped = cut.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return `"${escapeControls(escaped)}"${cut.length < text.length ? "..." : ""}`;
}

/** A path or a name as a finding carries it: escaped, at most 300 characters, no quotes added. */
export function title(text: string): string {
  return escapeBounded(text.replaceAll("\\", "\\\\"), TITLE_CHARACTERS_MAX);
}

/** Up to five of the texts quoted, and how many more there are. Empty list: empty text. */
export function quoteList(texts: readonly string[]): string {
  const shown = texts.slice(0, 5).map(quote).join(", ");
  return texts.length > 5 ? `${shown} and ${texts.length - 5} more` : shown;
}

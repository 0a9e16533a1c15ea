// Makes any text safe to show on one line of a terminal or a log. Given text from anywhere. It
// must never let through a character that moves the cursor, starts a line or hides other text.

/**
 * C0 and C1 controls, DEL, line and paragraph separators, zero-width and direction marks, the byte
 * order mark and halves of surrogate pairs.
 */
const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- finding control characters is the purpose
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu;

const SHORT: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** Escapes every unsafe character as \n, \r, \t or \uXXXX. Other text stays as it is. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, "0");
    return SHORT.get(character) ?? `\\u${code}`;
  });
}

/** Escapes and shortens to at most `charactersMax` UTF-16 units, the cut marked by "...". */
export function escapeBounded(text: string, charactersMax: number): string {
  // Cutting first keeps the cost bounded for a text of many megabytes.
  const escaped = escapeControls(text.slice(0, charactersMax + 1));
  if (text.length <= charactersMax && escaped.length <= charactersMax) return escaped;
  return `${escaped.slice(0, Math.max(0, charactersMax - 3))}...`;
}

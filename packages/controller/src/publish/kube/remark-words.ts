// A remark as people of a cluster read it, in a condition or an Event: what, why, what to do, and a
// code, as everywhere else. Pure. A long detail is cut, and the remedy never.

import { type Reason, REASONS, type Remark } from "@fairlead/model";
import { escapeControls } from "@fairlead/runtime";

/** An API server takes 1024 bytes in the note of an Event; conditions keep to the same. */
const WORDS_BYTES_MAX = 1000;
const CUT = "...";

/** `What: why. What to do. [FL0205]`, at most 1000 bytes. */
export function remarkWords({ reason, detail }: Remark): string {
  const { code, title, remedy } = REASONS[reason];
  const what = withoutStop(title);
  const rest = `. ${remedy} [${code}]`;
  const room = WORDS_BYTES_MAX - Buffer.byteLength(`${what}: ${rest}`);
  return `${what}: ${boundBytes(withoutStop(escapeControls(detail)), room)}${rest}`;
}

/** A whole sentence with the remedy behind it: `It is so. What to do. [FL0204]`, bounded alike. */
export function withRemedy(sentence: string, reason: Reason): string {
  const { code, remedy } = REASONS[reason];
  const rest = ` ${remedy} [${code}]`;
  const room = WORDS_BYTES_MAX - Buffer.byteLength(rest);
  return `${boundBytes(escapeControls(sentence), room)}${rest}`;
}

/** Whole words of ours, with texts of others in them, bounded in the same way. */
export function boundedWords(text: string): string {
  return boundBytes(escapeControls(text), WORDS_BYTES_MAX);
}

function withoutStop(sentence: string): string {
  return sentence.endsWith(".") ? sentence.slice(0, -1) : sentence;
}

/** Cuts at a character, never inside one. */
function boundBytes(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text;
  let bytes = CUT.length;
  let kept = "";
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > bytesMax) break;
    kept += character;
  }
  return kept + CUT;
}

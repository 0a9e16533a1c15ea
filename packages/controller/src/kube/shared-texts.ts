// Equal texts of many objects as one text. What an API server sends is parsed object by object, so
// that ten thousand of them have ten thousand texts for the name of one and the same writer. Given
// texts; what it keeps is bounded.

/** Returns the text that was first seen of those that are equal, as far as it is still known. */
export type ShareText = (text: string) => string;

/** Texts that are known at the most: those that are common come again when it begins anew. */
const KNOWN_MAX = 4096;

/** Makes one that knows no text yet. */
export function createSharedTexts(): ShareText {
  const known = new Map<string, string>();
  return (text) => {
    const first = known.get(text);
    if (first !== undefined) return first;
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(text, text);
    return text;
  };
}

// Reads and writes lengths of time as people give them: "500ms", "10s", "1m30s", "2h", "7d". Given
// text from a setting. It never guesses a unit: a bare number other than 0 is refused.

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
]);

/** Longest duration that is taken: ten years, far below where milliseconds lose precision. */
const DURATION_MS_MAX = 3_650 * 86_400_000;

/** The longest duration, for messages where nothing shorter is the bound. */
export const DURATION_MAX_TEXT = "3650d";

/** How durations read in messages. */
export const DURATION_FORMS = "a number with a unit, such as 500ms, 10s, 1m30s, 2h or 7d";

/**
 * Milliseconds of a duration, whole; "0" needs no unit. Units go from large to small, each at most
 * once. Undefined when the text is none or it is above ten years.
 */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  const pattern =
    /^(?:(\d{1,12})d)?(?:(\d{1,12})h)?(?:(\d{1,12})m(?!s))?(?:(\d{1,12})s)?(?:(\d{1,12})ms)?$/u;
  const match = pattern.exec(text);
  if (match === null || text === "") return undefined;
  let totalMs = 0;
  for (const [index, unitMs] of [...UNIT_MS.values()].entries()) {
    totalMs += Number(match[index + 1] ?? 0) * unitMs;
  }
  return totalMs <= DURATION_MS_MAX ? totalMs : undefined;
}

/** Writes whole milliseconds in the shortest form that parseDuration reads back. */
export function formatDuration(ms: number): string {
  let leftMs = Math.round(ms);
  const parts: string[] = [];
  for (const [unit, unitMs] of UNIT_MS) {
    const count = Math.floor(leftMs / unitMs);
    leftMs -= count * unitMs;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.length === 0 ? "0" : parts.join("");
}

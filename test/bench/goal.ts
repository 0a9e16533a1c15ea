// One figure of a bench with its goal: printed with the ratio to a floor of the same run, so that a
// slow machine does not look like a slow product.

/** Wide enough for "goal 12345 MISSED". */
const VERDICT_CHARACTERS = 17;
const DIGITS_DEFAULT = 1;

/** A measured figure. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  /** `ms`, or what is counted. */
  readonly unit: string;
  /** The floor of the same run, in the same unit; absent where there is none. */
  readonly floor?: number;
  /** The largest value that is good; absent for figures that are only shown. */
  readonly goal?: number;
  /** The smallest value that is good; never beside `goal`. */
  readonly least?: number;
  /** Digits behind the point. Default: 1. */
  readonly digits?: number;
  /** What others need for the same, measured on a like machine; shown and never judged. */
  readonly beside?: string;
  /** Why there is no value: a goal is missed then. Absent: it was measured. */
  readonly missing?: string;
}

/** Whether a figure meets its goal; true where it has none. What is not a number meets none. */
export function isMet({ value, goal, least, missing }: Figure): boolean {
  if (missing !== undefined) return goal === undefined && least === undefined;
  return (goal === undefined || value <= goal) && (least === undefined || value >= least);
}

/** Figures as lines: what, value, ratio to the floor, goal and whether it is met. */
export function formatFigures(figures: readonly Figure[]): string {
  const width = Math.max(...figures.map(({ what }) => what.length));
  return figures
    .map((figure) => {
      const { what, value, unit, floor, digits = DIGITS_DEFAULT, missing } = figure;
      const isThere = missing === undefined;
      const shown = isThere ? value.toFixed(digits) : "-";
      const ratio = isThere && floor !== undefined ? `${(value / floor).toFixed(2)} x floor` : "";
      const beside = missing ?? figure.beside ?? "";
      const goal = goalOf(figure);
      const verdict = goal === undefined ? "" : `goal ${goal} ${isMet(figure) ? "met" : "MISSED"}`;
      const cells = [
        what.padEnd(width),
        `${shown.padStart(8)} ${unit.padEnd(8)}`,
        ratio.padStart(14),
        verdict.padEnd(beside === "" ? 0 : VERDICT_CHARACTERS),
        beside,
      ];
      return `  ${cells.join("  ")}`.trimEnd();
    })
    .map((line) => `${line}\n`)
    .join("");
}

function goalOf({ goal, least }: Figure): string | undefined {
  if (goal !== undefined) return String(goal);
  return least === undefined ? undefined : `>= ${least}`;
}

/** The value below which the share `q` (0 to 1) of the samples lies; of at least one sample. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1);
  const value = sorted[Math.max(0, index)];
  if (value === undefined) throw new RangeError("no samples");
  return value;
}

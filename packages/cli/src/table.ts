// Prints rows in columns as kubectl does: upper-case headings, two or more blanks between columns,
// no lines and no boxes, so that awk reads it. Pure. An empty cell is `-`, for awk's sake too.

/** One column of a table. */
export interface Column<Row> {
  /** Heading in upper case, without blanks. */
  readonly heading: string;
  /** The cell's text; control characters must have been escaped by whoever made the row. */
  readonly cell: (row: Row) => string;
  /** Shown only with `-o wide`. */
  readonly isWide?: boolean;
}

/** What of a table is shown. */
export interface TableOptions {
  /** Whether columns that are wide are shown. Default: no. */
  readonly wide?: boolean;
  /** Whether headings are shown. Default: yes. */
  readonly headings?: boolean;
}

/** Blanks between two columns. */
const GAP = 3;

/** Prints rows of one table one after the other, in columns that keep their places. */
export interface RowPrinter<Row> {
  /** These rows as lines, under headings the first time; columns grow with what they hold. */
  print(rows: readonly Row[]): string;
}

/** Makes a printer that has printed nothing. `headings` counts for its first lines. */
export function createRowPrinter<Row>(
  columns: readonly Column<Row>[],
  options: TableOptions = {},
): RowPrinter<Row> {
  const shown = columns.filter((column) => options.wide === true || column.isWide !== true);
  let hasHeadings = options.headings === false;
  let widths = shown.map(() => 0);
  return {
    print: (rows) => {
      const body = rows.map((row) => shown.map((column) => column.cell(row) || "-"));
      const lines = hasHeadings ? body : [shown.map((column) => column.heading), ...body];
      hasHeadings = true;
      widths = widths.map((width, index) =>
        lines.reduce((widest, line) => Math.max(widest, line[index]?.length ?? 0), width),
      );
      return lines.map((cells) => `${formatLine(cells, widths)}\n`).join("");
    },
  };
}

/** Formats rows as lines, each ending in a line end; no rows give no lines but the heading. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: TableOptions = {},
): string {
  return createRowPrinter(columns, options).print(rows);
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, index) =>
      index === cells.length - 1 ? cell : cell.padEnd((widths[index] ?? 0) + GAP),
    )
    .join("");
}

/** A length of time as kubectl writes ages: 5s, 3m20s, 2h5m, 4d3h. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  return withRest(Math.floor(hours / 24), "d", hours % 24, "h");
}

function withRest(whole: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`;
}

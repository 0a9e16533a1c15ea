// Whether what is seen is what is expected. Pure. Words are compared, not the blanks between them;
// `{name}` stands for one word, the same wherever it is named and another than that of other names;
// `*` stands for any word but `-`; `...` at the end of a line stands for the rest of it.

/** What names stand for. */
export type Bindings = ReadonlyMap<string, string>;

const NAME = /^\{([a-z-]+)\}$/;
const REST = "...";
const ANY = "*";
/** An empty cell. */
const EMPTY = "-";

/** The names with what they stand for now; undefined when it is something else that is seen. */
export function matchLines(
  expected: readonly string[],
  seen: readonly string[],
  bindings: Bindings,
): Bindings | undefined {
  const wanted = expected.filter((line) => line.trim() !== "");
  if (wanted.length !== seen.length) return undefined;
  let bound: Bindings | undefined = bindings;
  for (const [index, line] of wanted.entries()) {
    if (bound === undefined) return undefined;
    bound = matchLine(wordsOf(line), wordsOf(seen[index] ?? ""), bound);
  }
  return bound;
}

function matchLine(
  wanted: readonly string[],
  seen: readonly string[],
  bindings: Bindings,
): Bindings | undefined {
  const isOpen = wanted.at(-1) === REST;
  const count = isOpen ? wanted.length - 1 : wanted.length;
  if (isOpen ? seen.length < count : seen.length !== count) return undefined;
  let bound: Bindings | undefined = bindings;
  for (let index = 0; index < count && bound !== undefined; index += 1) {
    bound = matchWord(wanted[index] ?? "", seen[index] ?? "", bound);
  }
  return bound;
}

function matchWord(wanted: string, seen: string, bindings: Bindings): Bindings | undefined {
  const name = NAME.exec(wanted)?.[1];
  if (wanted === ANY) return seen === EMPTY ? undefined : bindings;
  if (name === undefined) return wanted === seen ? bindings : undefined;
  const known = bindings.get(name);
  if (known !== undefined) return known === seen ? bindings : undefined;
  if (seen === EMPTY || [...bindings.values()].includes(seen)) return undefined;
  return new Map([...bindings, [name, seen]]);
}

/** Lines of a table with their columns below one another; other lines as they are. */
export function alignLines(lines: readonly string[]): readonly string[] {
  const isTable = /^[A-Z]+( {2,}[A-Z-]+| [A-Z-]+)+$/.test(lines[0]?.trim() ?? "");
  if (!isTable) return lines.map((line) => line.trimEnd());
  const columns = wordsOf(lines[0] ?? "").length;
  const rows = lines.map((line) => line.trim().split(/ {2,}/));
  // A row that was written word by word has one blank between its cells.
  const cells = rows.map((row, at) => (row.length === columns ? row : wordsOf(lines[at] ?? "")));
  if (cells.some((row) => row.length !== columns)) return lines.map((line) => line.trimEnd());
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(...cells.map((row) => row[at]?.length ?? 0)),
  );
  return cells.map((row) =>
    row
      .map((cell, at) => cell.padEnd((widths[at] ?? 0) + 3))
      .join("")
      .trimEnd(),
  );
}

/** The text with names replaced by what they stand for. Names that stand for nothing stay. */
export function resolveNames(text: string, bindings: Bindings): string {
  return text.replaceAll(/\{([a-z-]+)\}/g, (whole, name: string) => bindings.get(name) ?? whole);
}

/**
 * What was seen as it would be expected next time: words that names stand for become those names,
 * and new names stay where a line of the same first word had them.
 */
export function nameLines(
  expected: readonly string[],
  seen: readonly string[],
  bindings: Bindings,
): { readonly lines: readonly string[]; readonly bindings: Bindings } {
  let bound = bindings;
  for (const line of seen) {
    const words = wordsOf(line);
    const like = expected.map(wordsOf).find((one) => one[0] === words[0]);
    for (const [index, word] of words.entries()) {
      const name = NAME.exec(like?.[index] ?? "")?.[1];
      if (name === undefined || bound.has(name)) continue;
      bound = matchWord(like?.[index] ?? "", word, bound) ?? bound;
    }
  }
  const names = new Map([...bound].map(([name, word]) => [word, `{${name}}`]));
  const lines = seen.map((line) => line.replaceAll(/\S+/g, (word) => names.get(word) ?? word));
  return { lines: alignLines(lines), bindings: bound };
}

function wordsOf(line: string): readonly string[] {
  return line.trim().split(/\s+/);
}

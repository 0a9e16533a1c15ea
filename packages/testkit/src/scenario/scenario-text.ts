// The text of a scenario: a title, settings, and steps of one line each, some with an indented
// block below. Pure. It knows the form alone; what steps there are is given.

/** One line with its block. */
export interface ScenarioLine {
  /** Number of the line, from 1. */
  readonly line: number;
  readonly words: readonly string[];
  /** Lines of the block without their indentation; empty where there is none. */
  readonly block: readonly string[];
  /** Numbers of the block's first line and of the one after it. */
  readonly blockFrom: number;
  readonly blockTo: number;
}

/** A scenario as it is written. */
export interface ScenarioText {
  readonly title: string;
  readonly lines: readonly ScenarioLine[];
}

/** Why a scenario cannot be run, with the line. */
export class ScenarioError extends Error {
  readonly line: number;

  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`);
    this.line = line;
  }
}

const INDENT = "  ";

/** Reads a scenario. Throws a ScenarioError for a text that has another form. */
export function parseScenario(text: string): ScenarioText {
  const raw = text.split("\n");
  const title = /^# (.+)$/.exec(raw[0] ?? "")?.[1];
  if (title === undefined) {
    throw new ScenarioError(1, 'the first line is "# " and what is promised');
  }
  const lines: ScenarioLine[] = [];
  for (let index = 1; index < raw.length; index += 1) {
    const line = raw[index] ?? "";
    if (line.trim() === "" || line.startsWith("#")) continue;
    if (line.startsWith(" ")) throw new ScenarioError(index + 1, "a block stands below a step");
    const end = blockEnd(raw, index + 1);
    lines.push({
      line: index + 1,
      words: line.trim().split(/\s+/),
      block: raw.slice(index + 1, end).map((one) => one.slice(INDENT.length)),
      blockFrom: index + 2,
      blockTo: end + 1,
    });
    index = end - 1;
  }
  return { title, lines };
}

/** Index after the last indented line; blank lines count where indented ones follow. */
function blockEnd(raw: readonly string[], from: number): number {
  let end = from;
  for (let index = from; index < raw.length; index += 1) {
    const line = raw[index] ?? "";
    if (line.startsWith(INDENT)) end = index + 1;
    else if (line.trim() !== "") break;
  }
  return end;
}

/** The text with other blocks below some of its lines. */
export function replaceBlocks(
  text: string,
  blocks: ReadonlyMap<ScenarioLine, readonly string[]>,
): string {
  const raw = text.split("\n");
  const last = [...blocks].toSorted(([a], [b]) => b.line - a.line);
  for (const [{ blockFrom, blockTo }, block] of last) {
    const indented = block.map((line) => (line === "" ? "" : `${INDENT}${line}`));
    raw.splice(blockFrom - 1, blockTo - blockFrom, ...indented);
  }
  return raw.join("\n");
}

/** `30s`, `400ms` or `2m` in ms; undefined for anything else. */
export function parseTime(text: string): number | undefined {
  const [, digits, unit] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  const factor = unit === "ms" ? 1 : unit === "s" ? 1000 : 60_000;
  return digits === undefined ? undefined : Number(digits) * factor;
}

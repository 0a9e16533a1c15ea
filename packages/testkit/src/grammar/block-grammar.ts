// Reads a generated file of nested blocks back and judges every statement by a closed list of
// forms: what a daemon would read as anything that we never write is a fault. Pure. It is stricter
// than the daemons on purpose, and knows no quoting, no escapes and no comment but the first line.

/** What may stand in a file: for each block the forms of its statements. */
export interface BlockGrammar {
  /** What ends a statement. */
  readonly end: ";" | "\n";
  /** The block `main` is the file itself. */
  readonly blocks: Readonly<Record<string, readonly Form[]>>;
}

/** One form of a statement, its words joined by single blanks. */
export interface Form {
  readonly words: RegExp;
  /** The block that it opens; absent: it opens none. */
  readonly opens?: string;
}

/** A statement that was read, good or not. */
export interface Statement {
  /** The block that it stands in. */
  readonly block: string;
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

/** What was read. */
export interface ReadBlocks {
  readonly statements: readonly Statement[];
  /** What is wrong, a sentence each with its line; empty for a good file. */
  readonly faults: readonly string[];
}

/** What stands in the first line of every file of ours. */
const HEADER =
  /^# Written by fairlead-agent from its node plan; changes made here are overwritten\.$/;
/** Every character of our files. */
const PLAIN = /^[A-Za-z0-9 ._:/[\]=${};"-]*$/;

/** Reads a file. */
export function readBlocks(text: string, grammar: BlockGrammar): ReadBlocks {
  const faults: string[] = [];
  const statements: Statement[] = [];
  const open = ["main"];
  const [header = "", ...lines] = text.split("\n");
  if (!HEADER.test(header)) faults.push("line 1: not our first line");
  if (!text.endsWith("\n")) faults.push("the file is cut");
  for (const [index, raw] of lines.entries()) {
    const line = index + 2;
    if (!PLAIN.test(raw)) faults.push(`line ${line}: a strange character in ${quoted(raw)}`);
    for (const piece of pieces(raw, grammar.end)) {
      const block = open.at(-1) ?? "main";
      if (piece.kind === "close") {
        if (open.length < 2) faults.push(`line ${line}: closes what is not open`);
        else open.pop();
        continue;
      }
      if (piece.kind === "loose") faults.push(`line ${line}: no end of ${quoted(piece.text)}`);
      statements.push({ block, text: piece.text, line });
      const form = grammar.blocks[block]?.find(
        ({ words, opens }) => words.test(piece.text) && (opens !== undefined) === piece.opens,
      );
      if (form === undefined) {
        faults.push(`line ${line}: ${quoted(piece.text)} is nothing that we write in ${block}`);
      }
      if (piece.opens) open.push(form?.opens ?? "unknown");
    }
  }
  if (open.length > 1) faults.push(`${open.at(-1) ?? ""} is not closed`);
  return { statements, faults };
}

type Piece =
  | { readonly kind: "close" }
  | { readonly kind: "whole" | "loose"; readonly text: string; readonly opens: boolean };

/** The statements of one line: ours never go over the end of a line. */
function pieces(raw: string, end: BlockGrammar["end"]): readonly Piece[] {
  const found: Piece[] = [];
  const ends = end === ";" ? /([^;{}]*)([;{}]|$)/g : /([^{}]*)([{}]|$)/g;
  for (const [, before = "", mark = ""] of raw.matchAll(ends)) {
    const text = before.trim().replaceAll(/ +/g, " ");
    const isEnded = mark !== "" || end === "\n";
    if (text !== "" || mark === ";" || mark === "{") {
      const isWhole = isEnded && !(mark === "}" && end === ";");
      found.push({ kind: isWhole ? "whole" : "loose", text, opens: mark === "{" });
    }
    if (mark === "}") found.push({ kind: "close" });
  }
  return found;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

// Reads the text of one manifest as plain values, one a document, within bounds that hold before
// the costly steps: a hostile file costs milliseconds and gives a reason. Given text of bounded
// size. Never throws, and never shows what stands in the file.

import type { Reason } from "@fairlead/model";
import {
  type CST,
  Composer,
  type Document,
  LineCounter,
  Lexer,
  type Node,
  Parser,
  isNode,
  isScalar,
  visit,
} from "yaml";

import { findMergeProblem, isMergeKey, MERGED_MAX } from "./merge-keys.ts";

/** Most documents of one file. */
const DOCUMENTS_MAX = 4000;
/** Deepest nesting of mappings and lists; Kubernetes' own objects stay below 20. */
const DEPTH_MAX = 64;
/** Most aliases of one file, counted as often as they are followed. */
const ALIASES_MAX = 100;
/** Most lexical parts of one file: the densest megabyte of real manifests has 450 000. */
const TOKENS_MAX = 500_000;

/** How a file is written. */
export type ManifestFormat = "yaml" | "json";

/** The values of a file's documents, or why there are none. */
export type ParsedManifest =
  | { readonly kind: "ok"; readonly documents: readonly unknown[] }
  | {
      readonly kind: "bad";
      readonly reason: Extract<Reason, "ManifestUnreadable" | "ManifestTooComplex">;
      readonly detail: string;
    };

type Bad = Extract<ParsedManifest, { kind: "bad" }>;

/** Parses the text of one file. */
export function parseManifest(text: string, format: ManifestFormat): ParsedManifest {
  // Raised by the libraries only where their own input checks did not foresee a text.
  try {
    return format === "json" ? parseJson(text) : parseYaml(text);
  } catch {
    return unreadable("it does not parse");
  }
}

function parseJson(text: string): ParsedManifest {
  let value: unknown;
  try {
    // Editors of Windows write a byte order mark, which JSON.parse takes for rubbish.
    value = JSON.parse(text.replace(/^\uFEFF/u, ""));
  } catch {
    // V8's own message quotes the file.
    return unreadable("it is not JSON");
  }
  return isDeeperThan(value, DEPTH_MAX) ? tooDeep() : { kind: "ok", documents: [value] };
}

function parseYaml(text: string): ParsedManifest {
  const lines = new LineCounter();
  const tokens = readTokens(text, lines);
  if ("reason" in tokens) return tokens;
  // Its own check of keys compares each with each: 15 s for a file of 40 000 keys.
  const composer = new Composer({ uniqueKeys: false, resolveKnownTags: false, merge: true });
  const documents: unknown[] = [];
  let aliasesLeft = ALIASES_MAX;
  for (const document of composer.compose(tokens, true, text.length)) {
    const [error] = document.errors;
    if (error !== undefined) return unreadable(error.code, lines, error.pos[0]);
    const checked = checkNodes(document, lines);
    if (checked.kind === "bad") return checked;
    aliasesLeft -= checked.aliases;
    if (aliasesLeft < 0) return tooManyAliases();
    const read = toValue(document);
    if (read === undefined) return tooManyAliases();
    if (read.value !== null && read.value !== undefined) documents.push(read.value);
  }
  return { kind: "ok", documents };
}

/** Lexes and parses step by step, so that a bomb ends at the bound and not at its end. */
function readTokens(text: string, lines: LineCounter): readonly CST.Token[] | Bad {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens: CST.Token[] = [];
  let count = 0;
  let documents = 0;
  const keep = (token: CST.Token): void => {
    if (token.type === "document") documents += 1;
    tokens.push(token);
  };
  for (const lexeme of new Lexer().lex(text)) {
    count += 1;
    if (count > TOKENS_MAX) return tooComplex(`it has more than ${TOKENS_MAX} parts`);
    for (const token of parser.next(lexeme)) keep(token);
    if (parser.stack.length > DEPTH_MAX) return tooDeep();
    if (documents > DOCUMENTS_MAX) {
      return tooComplex(`it has more than ${DOCUMENTS_MAX} documents`);
    }
  }
  for (const token of parser.end()) keep(token);
  return tokens;
}

/** Counts aliases; finds those that lead nowhere or to themselves, and keys that stand twice. */
function checkNodes(
  document: Document,
  lines: LineCounter,
): { readonly kind: "ok"; readonly aliases: number } | Bad {
  let bad: Bad | undefined;
  /** Nodes by their anchors so far, and what each alias stands for: the last of its name. */
  const anchors = new Map<string, Node>();
  const sources = new Map<unknown, Node>();
  let aliases = 0;
  const note = (node: Node): void => {
    const anchor = anchorOf(node);
    if (typeof anchor === "string") anchors.set(anchor, node);
  };
  visit(document, {
    Node: (_, node) => note(node),
    Alias: (_, alias, path) => {
      aliases += 1;
      const isInItself = path.some((node) => isNode(node) && anchorOf(node) === alias.source);
      const source = anchors.get(alias.source);
      if (source !== undefined) sources.set(alias, source);
      if (aliases > ALIASES_MAX) bad = tooManyAliases();
      else if (isInItself) bad = tooComplex("an alias stands inside what it names");
      else if (source === undefined) bad = unreadable("BAD_ALIAS", lines, alias.range?.[0]);
      return bad === undefined ? undefined : visit.BREAK;
    },
    Map: (_, map) => {
      note(map);
      const keys = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key) || isMergeKey(key)) continue;
        const text = String(key.value);
        if (keys.has(text)) bad = unreadable("DUPLICATE_KEY", lines, key.range?.[0]);
        keys.add(text);
      }
      return bad === undefined ? undefined : visit.BREAK;
    },
  });
  return bad ?? checkMerges(document, sources, lines) ?? { kind: "ok", aliases };
}

function checkMerges(
  document: Document,
  sources: ReadonlyMap<unknown, Node>,
  lines: LineCounter,
): Bad | undefined {
  const problem = findMergeProblem(document, sources);
  if (problem?.kind === "no-mapping") return unreadable("BAD_MERGE", lines, problem.offset);
  if (problem === undefined) return undefined;
  return tooComplex(`its merge keys copy more than ${MERGED_MAX} characters`);
}

function anchorOf(node: unknown): unknown {
  return typeof node === "object" && node !== null && "anchor" in node ? node.anchor : undefined;
}

/** The document's value; undefined when its aliases are followed too often. */
function toValue(document: Document): { readonly value: unknown } | undefined {
  try {
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
    return { value };
  } catch {
    // Everything else that it refuses was refused before.
    return undefined;
  }
}

/** Walks with a list of its own: the depth that is looked for would break a recursion. */
function isDeeperThan(value: unknown, depthMax: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; depth <= depthMax; depth += 1) {
    level = level.flatMap((item): readonly unknown[] =>
      typeof item === "object" && item !== null ? Object.values(item) : [],
    );
    if (level.length === 0) return false;
  }
  return true;
}

function unreadable(problem: string, lines?: LineCounter, offset?: number): Bad {
  const words = YAML_PROBLEMS.get(problem) ?? problem;
  const at = lines === undefined || offset === undefined ? undefined : lines.linePos(offset);
  const detail = at === undefined ? words : `line ${at.line}, column ${at.col}: ${words}`;
  return { kind: "bad", reason: "ManifestUnreadable", detail };
}

const tooComplex = (detail: string): Bad => ({
  kind: "bad",
  reason: "ManifestTooComplex",
  detail,
});
const tooDeep = (): Bad => tooComplex(`it is nested deeper than ${DEPTH_MAX} levels`);
const tooManyAliases = (): Bad =>
  tooComplex(`its aliases are followed more than ${ALIASES_MAX} times`);

/** The parser's codes in words. Its own messages quote the file. */
const YAML_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ["ALIAS_PROPS", "an alias has a tag or an anchor"],
  ["BAD_ALIAS", "an alias names no anchor"],
  ["BAD_COLLECTION_TYPE", "a tag does not fit what it stands at"],
  ["BAD_DIRECTIVE", "a directive is not known"],
  ["BAD_DQ_ESCAPE", "an escape in double quotes is not known"],
  ["BAD_INDENT", "the indentation is wrong, or a bracket is not closed"],
  ["BAD_MERGE", "a merge key (<<) names something that is no mapping"],
  ["BAD_PROP_ORDER", "an anchor or tag stands in the wrong place"],
  ["BAD_SCALAR_START", "a text begins with a character that needs quotes"],
  ["BLOCK_AS_IMPLICIT_KEY", "a mapping or list stands where a value must; check the indentation"],
  ["BLOCK_IN_FLOW", "a block stands inside brackets"],
  ["DUPLICATE_KEY", "a key stands twice in one mapping"],
  ["IMPOSSIBLE", "it is not YAML"],
  ["KEY_OVER_1024_CHARS", "a key is longer than 1024 characters"],
  ["MISSING_CHAR", "a quote, bracket, colon or comma is missing"],
  ["MULTILINE_IMPLICIT_KEY", "a key goes over several lines"],
  ["MULTIPLE_ANCHORS", "a value has two anchors"],
  ["MULTIPLE_DOCS", "it has several documents where one may be"],
  ["MULTIPLE_TAGS", "a value has two tags"],
  ["NON_STRING_KEY", "a key is no text"],
  ["RESOURCE_EXHAUSTION", "it is too complex"],
  ["TAB_AS_INDENT", "a tab stands in the indentation; use spaces"],
  ["TAG_RESOLVE_FAILED", "a tag is not known"],
  ["UNEXPECTED_TOKEN", "something stands where it may not"],
]);

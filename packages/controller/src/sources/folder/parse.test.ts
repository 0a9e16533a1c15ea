// The text of a manifest: documents, errors with their line and without the file's words, and
// bombs that end at a bound.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type ManifestFormat, parseManifest } from "./parse.ts";

const SECRET = "hunter2";

/** Nine levels of nine aliases each: a thousand million values. */
const BILLION_LAUGHS = Array.from("abcdefghi")
  .map((name, index) => {
    const inner = index === 0 ? "x" : `*${"abcdefghi".charAt(index - 1)}`;
    return `${name}: &${name} [${Array<string>(9).fill(inner).join(", ")}]`;
  })
  .join("\n");

/** Each level merges the one in it twice into itself: a thousand million keys after thirty. */
const MERGE_BOMB = Array.from({ length: 30 }).reduce<string>(
  (inner, _, level) => `{i: &l${level} ${inner}, m: {<<: *l${level}}, n: {<<: *l${level}}}`,
  "{x: 1}",
);

/** A large mapping that is copied ninety times. */
const MERGED_MUCH = [
  "big: &big",
  ...Array.from({ length: 20_000 }, (_, index) => `  k${index}: 1`),
  "rest:",
  ...Array<string>(90).fill("- <<: *big"),
].join("\n");

interface ParseCase {
  readonly name: string;
  readonly text: string;
  readonly format?: ManifestFormat;
  readonly want: readonly unknown[] | string;
}

const cases: readonly ParseCase[] = [
  { name: "an empty file has no documents", text: "", want: [] },
  { name: "comments and separators alone have none", text: "---\n# x\n---\n", want: [] },
  { name: "several documents", text: "a: 1\n---\nb: 2\n...\n", want: [{ a: 1 }, { b: 2 }] },
  {
    name: "line ends of Windows and a byte order mark",
    text: "\ufeffa: 1\r\nb: 2\r\n",
    want: [{ a: 1, b: 2 }],
  },
  { name: "JSON", text: '{"a": [1]}', format: "json", want: [{ a: [1] }] },
  { name: "JSON with a byte order mark", text: '\ufeff{"a": 1}', format: "json", want: [{ a: 1 }] },
  { name: "a few aliases", text: "a: &x [1]\nb: *x", want: [{ a: [1], b: [1] }] },
  {
    name: "merge keys: what is written out wins, then the first named",
    text: "a: &a {p: 1, q: 1}\nb: &b {q: 2, r: 2}\nc:\n  <<: [*a, *b]\n  p: 3\nd: {<<: *a}",
    want: [{ a: { p: 1, q: 1 }, b: { q: 2, r: 2 }, c: { p: 3, q: 1, r: 2 }, d: { p: 1, q: 1 } }],
  },
  { name: "a merge key in quotes is a key", text: '"<<": {a: 1}', want: [{ "<<": { a: 1 } }] },
  {
    name: "a merge key before what is no mapping",
    text: `a: &a [${SECRET}]\nb:\n  <<: *a`,
    want: "ManifestUnreadable: line 3, column 3: a merge key (<<) names something that is no mapping",
  },
  {
    name: "a bomb of merge keys",
    text: MERGE_BOMB,
    want: "ManifestTooComplex: its merge keys copy more than 1000000 characters",
  },
  {
    name: "a large mapping that is merged again and again",
    text: MERGED_MUCH,
    want: "ManifestTooComplex: its merge keys copy more than 1000000 characters",
  },
  {
    name: "times stay text",
    text: "a: 2026-01-01T00:00:00Z",
    want: [{ a: "2026-01-01T00:00:00Z" }],
  },
  {
    name: "a bracket that is not closed",
    text: `a: [${SECRET}\nb: 1`,
    want: "ManifestUnreadable: line 2, column 1: the indentation is wrong, or a bracket is not closed",
  },
  {
    name: "a tab in the indentation",
    text: "a:\n\tb: 1",
    want: "ManifestUnreadable: line 2, column 1: a tab stands in the indentation; use spaces",
  },
  {
    name: "a key that stands twice",
    text: `a: 1\nb: 2\na: ${SECRET}`,
    want: "ManifestUnreadable: line 3, column 1: a key stands twice in one mapping",
  },
  {
    name: "an alias without anchor",
    text: `a: *${SECRET}`,
    want: "ManifestUnreadable: line 1, column 4: an alias names no anchor",
  },
  {
    name: "broken JSON, whose parser would quote the file",
    text: `{"a": ${SECRET}}`,
    format: "json",
    want: "ManifestUnreadable: it is not JSON",
  },
  {
    name: "a YAML bomb",
    text: BILLION_LAUGHS,
    want: "ManifestTooComplex: its aliases are followed more than 100 times",
  },
  {
    name: "an alias inside what it names",
    text: "a: &a [*a]",
    want: "ManifestTooComplex: an alias stands inside what it names",
  },
  {
    name: "a megabyte of opening brackets",
    text: "[".repeat(1024 * 1024),
    want: "ManifestTooComplex: it is nested deeper than 64 levels",
  },
  {
    name: "a megabyte of list marks",
    text: "- ".repeat(512 * 1024),
    want: "ManifestTooComplex: it is nested deeper than 64 levels",
  },
  {
    name: "deep JSON",
    text: `${'{"a":'.repeat(100)}1${"}".repeat(100)}`,
    format: "json",
    want: "ManifestTooComplex: it is nested deeper than 64 levels",
  },
  {
    name: "a quarter of a million documents",
    text: "---\n".repeat(256 * 1024),
    want: "ManifestTooComplex: it has more than 4000 documents",
  },
  {
    name: "a hundred thousand keys, which some parsers compare each with each",
    text: Array.from({ length: 100_000 }, (_, index) => `k${index}: 1`).join("\n"),
    want: "ManifestTooComplex: it has more than 500000 parts",
  },
];

for (const c of cases) {
  test(`parse: ${c.name}`, () => {
    const parsed = parseManifest(c.text, c.format ?? "yaml");
    if (parsed.kind === "ok") return assert.deepEqual(parsed.documents, c.want);
    assert.equal(`${parsed.reason}: ${parsed.detail}`, c.want);
    return assert.ok(!parsed.detail.includes(SECRET));
  });
}

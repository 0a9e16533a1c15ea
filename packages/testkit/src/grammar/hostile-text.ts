// Text as somebody would write who wants it to end up in a daemon's file: controls, look-alikes,
// marks that hide or turn text, the punctuation of every language that we write, and too much of
// it. Arbitraries for fast-check; a good word often stands around the bad one.

import fc from "fast-check";

/** Stands in every hostile text that has room for it, and in nothing of ours. */
export const MARK = "EVIL";

const CONTROLS = Array.from({ length: 33 }, (_, code) => String.fromCharCode(code)).concat(
  Array.from({ length: 33 }, (_, code) => String.fromCharCode(0x7f + code)),
);
const MARKS = [
  "\\u061c",
  "\\u200b",
  "\\u200c",
  "\\u200d",
  "\\u200e",
  "\\u200f",
  "\\u2028",
  "\\u2029",
  "\\u202a",
  "\\u202e",
  "\\u2060",
  "\\u2066",
  "\\u2069",
  "\\ufeff",
  "\\ufffe",
  "\\u00ad",
  "\\u0301",
  "\\udb40\\udc41",
  "\\ud800",
].map((text) => JSON.parse(`"${text}"`) as string);
const PUNCTUATION = [
  ..."; { } $ \\ \" ' ` # ! @ % & | < > ( ) [ ] * ? ~ ^ = , :".split(" "),
  "${",
  "{{",
  "}}",
  "$(",
  "\r\n",
  "\n}\n",
  "../",
  "//",
  "\\x00",
  "%00",
  "\\u000a",
];
const LOOK_ALIKES = [
  "ａ",
  "а",
  "ο",
  "ⅰ",
  "１",
  "١",
  "²",
  "。",
  "．",
  "‥",
  "；",
  "｛",
  "＄",
  "＃",
  "“",
  "’",
  "／",
  "：",
  "ſ",
  "K",
  "ﬁ",
  "İ",
  "e\u0301",
  "é",
];
/** Every control, mark, look-alike and piece of punctuation, one a text. */
export const STRANGE: readonly string[] = [...CONTROLS, ...MARKS, ...PUNCTUATION, ...LOOK_ALIKES];
const PHRASES = [
  `; load_module /tmp/${MARK}.so;`,
  `\n  notify_master "/tmp/${MARK}"\n`,
  `}\nserver { listen 1.2.3.4:22; return ${MARK}; }\n`,
  `" ; include /etc/passwd # ${MARK}`,
  `$(${MARK})`,
  `@${MARK}`,
  `| nft -f ${MARK}`,
  `<<: *${MARK}`,
];

/** Code points without the halves of pairs: as many as UTF-8 can say. */
const CODE_POINTS = 0x11_0000 - 0x800;

/**
 * Any text of up to so many code points. fast-check's own "binary" first makes a table of all of
 * them: a second and 100 MB of every process that only imports it.
 */
export function anyText(lengths: {
  readonly minLength?: number;
  readonly maxLength: number;
}): fc.Arbitrary<string> {
  const character = fc
    .nat({ max: CODE_POINTS - 1 })
    .map((at) => String.fromCodePoint(at < 0xd800 ? at : at + 0x800));
  return fc.array(character, lengths).map((characters) => characters.join(""));
}

const bad: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...CONTROLS),
  fc.constantFrom(...MARKS),
  fc.constantFrom(...PUNCTUATION),
  fc.constantFrom(...LOOK_ALIKES),
  fc.constantFrom(...PHRASES),
  anyText({ minLength: 1, maxLength: 4 }),
);

/** Hostile text; `good` is what would be right in its place. */
export function hostile(good: string): fc.Arbitrary<string> {
  const place = fc.nat({ max: good.length });
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(place, bad)
        .map(([at, text]) => good.slice(0, at) + text + good.slice(at)),
    },
    { weight: 2, arbitrary: bad.map((text) => `${text}${MARK}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("", good.repeat(500).slice(0, 5000), MARK.repeat(2000)),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(good.toUpperCase(), ` ${good}`, `${good}\n`, `${good}.`),
    },
  );
}

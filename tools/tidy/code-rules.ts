// What tidy asks of code beyond the linter: size, header, names, doc comments, purity. Given one
// file; answers with what is wrong, each a sentence that begins with the place. Reads nothing.

import { isCode, type SourceFile } from "./source-files.ts";

/** A file is one idea: nobody reads 300 lines as one. A table of cases is read by its rows. */
const LINES_MAX = { code: 300, test: 500 };
/** The formatter breaks code; what it cannot break is comments, and texts that are too long. */
const COLUMNS_MAX = { comment: 100, code: 140 };
/** Tests, doors and small files may say it in one line. */
const HEADER_LINES = { min: 2, minSmall: 1, max: 6 };
const SMALL_LINES_MAX = 60;
const VAGUE_NAME = /(^|[-/])(utils?|helpers?|common|managers?|misc)([-./]|$)/;
const PURE = /^packages\/(model|planner|render)\/src\//;
const IMPURE = /\b(Date|performance|Math\.random|setTimeout|setInterval|process|async|await)\b/;
const EXPORT =
  /^export (?:declare )?(?:async )?(?:abstract )?(?:function|const|class|interface|type) \w/;

/** Everything that is wrong with one file of code. */
export function codeFaults(file: SourceFile): readonly string[] {
  if (!isCode(file)) return [];
  const lines = file.text.split("\n");
  const faults = [...sizeFaults(file.path, lines), ...headerFaults(file.path, lines)];
  if (VAGUE_NAME.test(file.path)) {
    faults.push(`${file.path}: the name says nothing; name the file after its one idea`);
  }
  if (/\.m?ts$/.test(file.path)) faults.push(...exportFaults(file.path, lines));
  if (PURE.test(file.path) && !file.path.endsWith(".test.ts")) {
    faults.push(...purityFaults(file.path, file.text));
  }
  return faults;
}

function sizeFaults(path: string, lines: readonly string[]): readonly string[] {
  const isTest = path.endsWith(".test.ts");
  const max = isTest ? LINES_MAX.test : LINES_MAX.code;
  const long = lines.flatMap((line, index) => {
    const isComment = /^\s*(\/\/|\/?\*|#)/.test(line);
    const columnsMax = isComment ? COLUMNS_MAX.comment : COLUMNS_MAX.code;
    if (line.length <= columnsMax || (isTest && !isComment)) return [];
    return [`${path}:${index + 1}: ${line.length} columns, at most ${columnsMax}`];
  });
  if (lines.length - 1 <= max) return long;
  return [`${path}: ${lines.length - 1} lines, at most ${max}; find a seam`, ...long];
}

function headerFaults(path: string, lines: readonly string[]): readonly string[] {
  const first = lines[0]?.startsWith("#!") === true ? 1 : 0;
  const mark = /\.m?[tj]s$/.test(path) ? "//" : "#";
  const rest = lines.slice(first);
  const end = rest.findIndex((line) => !line.startsWith(mark));
  const count = end === -1 ? rest.length : end;
  const isSmall = /(\.test|\/index)\.ts$/.test(path) || lines.length <= SMALL_LINES_MAX;
  const min = isSmall ? HEADER_LINES.minSmall : HEADER_LINES.min;
  if (count >= min && count <= HEADER_LINES.max) return [];
  return [
    `${path}: opens with ${count} lines of comment, ${min} to ${HEADER_LINES.max} are wanted: ` +
      "what it owns, what it is given, what it must never do",
  ];
}

function exportFaults(path: string, lines: readonly string[]): readonly string[] {
  return lines.flatMap((line, index) => {
    const before = lines[index - 1] ?? "";
    // The later signatures of an overloaded function stand under the comment of the first.
    const documented = before.endsWith("*/") || /^export .*;$/.test(before);
    if (!EXPORT.test(line) || documented) return [];
    return [`${path}:${index + 1}: exported without a doc comment`];
  });
}

function purityFaults(path: string, text: string): readonly string[] {
  return text.split("\n").flatMap((line, index) => {
    const code = line.replace(/(["'`]).*?\1/g, "").replace(/\/\/.*|^\s*\/?\*.*/, "");
    const word = IMPURE.exec(code)?.[1];
    return word === undefined
      ? []
      : [`${path}:${index + 1}: ${word} in a pure package: pass the value in`];
  });
}

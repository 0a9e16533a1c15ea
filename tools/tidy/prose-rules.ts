// What tidy asks of words: a short list of those that we do not use, each with why, and links that
// lead somewhere. Given one file; answers with what is wrong, each a sentence with its place.

import { posix } from "node:path";
import type { SourceFile } from "./source-files.ts";

const BANNED: readonly { readonly word: RegExp; readonly why: string }[] = [
  { word: /\b(TODO|FIXME|XXX|HACK)\b/, why: "finish it, or open an issue" },
  { word: /\b(utili[sz]e|leverage)[sd]?\b/i, why: "say use" },
  { word: /\b(simply|obviously|of course|easily)\b/i, why: "it says nothing, and it may be wrong" },
  { word: /\b(seamless|blazing|powerful|cutting-edge)(ly)?\b/i, why: "say what is measured" },
  { word: /\b(whitelist|blacklist)s?\b/i, why: "say allowed and refused" },
];
/** The files that hold the list itself. */
const EXEMPT = /^tools\/tidy[/.]/;

/** Everything that is wrong with the words of one file. */
export function proseFaults(file: SourceFile): readonly string[] {
  if (EXEMPT.test(file.path)) return [];
  return file.text.split("\n").flatMap((line, index) =>
    BANNED.flatMap(({ word, why }) => {
      const found = word.exec(line)?.[0];
      return found === undefined ? [] : [`${file.path}:${index + 1}: "${found}": ${why}`];
    }),
  );
}

/** Links of a document to files that are not there. `exists` is asked with paths from the root. */
export function linkFaults(file: SourceFile, exists: (path: string) => boolean): readonly string[] {
  if (!file.path.endsWith(".md")) return [];
  return [...file.text.matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)].flatMap(([, target = ""]) => {
    if (/^[a-z]+:/.test(target)) return [];
    const path = posix.normalize(posix.join(posix.dirname(file.path), target));
    return exists(path) ? [] : [`${file.path}: links to ${target}, which is not there`];
  });
}

/** Commands that a document tells people to run and that package.json does not have. */
export function commandFaults(file: SourceFile, scripts: ReadonlySet<string>): readonly string[] {
  if (!file.path.endsWith(".md")) return [];
  return [...file.text.matchAll(/\bnpm (?:run ([\w-]+)|(test)\b)/g)].flatMap(([, run, test]) => {
    const name = run ?? test ?? "";
    return scripts.has(name) ? [] : [`${file.path}: says npm run ${name}, which does not exist`];
  });
}

// The files that are ours to keep tidy: written by hand and known to git, or new and not ignored.
// Given the repository; reads each file once. Generated code, goldens and locks are left out.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One file of the repository. */
export interface SourceFile {
  /** Path from the repository's root, with slashes. */
  readonly path: string;
  /** Its whole text. */
  readonly text: string;
}

const NOT_OURS = /(^|\/)(gen|testdata)\/|^pnpm-lock\.yaml$|^LICENSE$|\/go\.(mod|sum)$/;
const TEXT = /\.(ts|mts|mjs|md|json|yaml|yml|proto|hbs|sh|scenario)$|^bin\/|^\.ci\/run$/;

/** All text files below `root`, sorted by path. */
export function readSourceFiles(root: string): readonly SourceFile[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  return execFileSync("git", args, { cwd: root, encoding: "utf8" })
    .split("\0")
    .filter((path) => TEXT.test(path) && !NOT_OURS.test(path) && existsSync(join(root, path)))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** Whether a file is code, as opposed to a document or a setting. */
export function isCode(file: SourceFile): boolean {
  return /\.(ts|mts|mjs|sh)$|^bin\/|^\.ci\/run$/.test(file.path);
}

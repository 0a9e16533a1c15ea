// What nft says when it takes nothing of a script, as words that lead to the line. Given its own
// words and where the script lies; pure. nft names the place and prints the line below it, of which
// carets mark a part. The words are shortened and escaped, so that a log or a table can show them.

import { escapeBounded } from "@fairlead/runtime";

const DETAIL_CHARACTERS_MAX = 1024;
/** A line with thousands of elements is shown by the part that nft marks. */
const LINE_CHARACTERS_MAX = 100;
/** `/dev/stdin:4:1-17: Error: Could not process rule: File exists`. Line 0: it is of no script. */
const PLACED =
  /^(?:.*?:(?<line>[1-9]\d*):(?<first>\d+)-(?<last>\d+): )?(?:.*?: )?Error: (?<why>.+)$/;

/**
 * The words of a refusal: the first that nft has, which caused all others.
 * @param otherwise says what happened where it has no words.
 * @param file where the script lies; undefined: nowhere any more.
 */
export function nftRefusal(
  stderr: string,
  { otherwise, file }: { readonly otherwise: string; readonly file: string | undefined },
): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const at = Math.max(
    0,
    lines.findIndex((line) => PLACED.test(line)),
  );
  const {
    why = lines[at] ?? otherwise,
    line,
    first,
    last,
  } = PLACED.exec(lines[at] ?? "")?.groups ?? {};
  const place = line === undefined ? "" : ` in ${file === undefined ? "line " : `${file}:`}${line}`;
  const marked =
    line === undefined ? "" : markedText(lines[at + 1] ?? "", Number(first), Number(last));
  const quoted = marked === "" ? "" : `: ${marked}`;
  return escapeBounded(`nft: ${why}${place}${quoted}`, DETAIL_CHARACTERS_MAX);
}

function markedText(line: string, first: number, last: number): string {
  const text = line.length <= LINE_CHARACTERS_MAX ? line : line.slice(first - 1, last);
  return text
    .trim()
    .replace(/[,;{]$/, "")
    .trim();
}

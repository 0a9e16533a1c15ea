// Has nginx's own checker read the candidate of its file. Given the program and the paths; it
// touches no file. The words name the file where it lies once it is refused: who reads them looks
// there.

import { runProgram } from "@fairlead/runtime";

import type { NginxLayout } from "../data-plane-layout.ts";
import { nginxRefusal } from "./refusal.ts";

/** 10 000 listeners take 2.4 s to check on a slow core. */
const CHECK_MS_MAX = 30_000;
const WORDS_BYTES_MAX = 16_384;

/** Why the checker refuses the candidate; undefined when it accepts it. */
export async function checkFile(
  program: string,
  { dir, candidate, refused }: NginxLayout,
): Promise<ReturnType<typeof nginxRefusal> | undefined> {
  const result = await runProgram({
    command: program,
    args: ["-t", "-q", "-p", `${dir}/`, "-c", candidate, "-e", "stderr"],
    timeoutMs: CHECK_MS_MAX,
    maxOutputBytes: WORDS_BYTES_MAX,
  });
  if (result.code === 0) return undefined;
  const words = result.stderr.replaceAll(candidate, refused).split("\n");
  const late = `took longer than ${CHECK_MS_MAX} ms`;
  const end = result.timedOut ? late : `ended with ${result.signal ?? result.code}`;
  return nginxRefusal(
    words.filter((line) => line !== ""),
    `its check ${end}`,
  );
}

// Hands a script to the program nft, which takes all of it or nothing. It makes no text and knows
// no table.

import { describeError, runProgram } from "@fairlead/runtime";

/** How a script is loaded. */
export interface LoadRulesOptions {
  /** `nft`, an absolute path. */
  readonly program: string;
  readonly timeoutMs: number;
  /** The kernel is asked whether it would take it, and nothing is changed. Default: no. */
  readonly isCheck?: boolean;
}

const WORDS_BYTES_MAX = 16 * 1024;

/** Loads a script. Never rejects. @returns what nft said against it; undefined: it was taken. */
export async function loadRules(
  { program: command, timeoutMs, isCheck = false }: LoadRulesOptions,
  input: string,
): Promise<string | undefined> {
  const args = [...(isCheck ? ["--check"] : []), "--file", "-"];
  const limits = { timeoutMs, maxOutputBytes: WORDS_BYTES_MAX };
  try {
    const result = await runProgram({ command, args, input, ...limits });
    if (result.code === 0) return undefined;
    return result.stderr.trim().split("\n")[0] || "nft did not end in time";
  } catch (error) {
    return describeError(error);
  }
}

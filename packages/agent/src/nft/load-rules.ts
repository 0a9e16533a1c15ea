// Hands a script to the program nft, which takes all of it or nothing. It makes no text and knows
// no table.

import { describeError, runProgram } from "@fairlead/runtime";

import { createConfigFile } from "../config-file.ts";

/** How a script is loaded. */
export interface LoadRulesOptions {
  /** `nft`, an absolute path. */
  readonly program: string;
  readonly timeoutMs: number;
  /**
   * Where a long script lies while nft reads it. From a pipe nft takes what came until its end, be
   * it that the agent was killed in the middle of it. Default: all scripts go through a pipe.
   */
  readonly scriptFile?: string;
  /** The kernel is asked whether it would take it, and nothing is changed. Default: no. */
  readonly isCheck?: boolean;
}

const WORDS_BYTES_MAX = 16 * 1024;
/** A pipe takes as much at once, so that nft has all of it or nothing. */
const PIPED_CHARACTERS_MAX = 32 * 1024;

/** Loads a script. Never rejects. @returns what nft said against it; undefined: it was taken. */
export async function loadRules(
  { program: command, timeoutMs, scriptFile, isCheck = false }: LoadRulesOptions,
  script: string,
): Promise<string | undefined> {
  const run = async (from: string, input: string): Promise<string | undefined> => {
    const args = [...(isCheck ? ["--check"] : []), "--file", from];
    const limits = { timeoutMs, maxOutputBytes: WORDS_BYTES_MAX };
    const result = await runProgram({ command, args, input, ...limits });
    if (result.code === 0) return undefined;
    return result.stderr.trim().split("\n")[0] || "nft did not end in time";
  };
  try {
    if (scriptFile === undefined || script.length <= PIPED_CHARACTERS_MAX) {
      return await run("-", script);
    }
    // Never in place: the nft of an agent that was killed may read the one before.
    const file = createConfigFile(scriptFile, `${scriptFile}.new`);
    await file.swap(script);
    const trouble = await run(scriptFile, "");
    await file.remove();
    return trouble;
  } catch (error) {
    return describeError(error);
  }
}

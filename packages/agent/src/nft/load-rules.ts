// Hands a script to the program nft, which takes all of it or nothing. What it refused lies beside
// for whoever reads its words. It makes no text and knows no table.

import { describeError, runProgram } from "@fairlead/runtime";

import { createConfigFile } from "../config-file.ts";
import { nftRefusal } from "./refusal.ts";

/** How a script is loaded. */
export interface LoadRulesOptions {
  /** `nft`, an absolute path. */
  readonly program: string;
  readonly timeoutMs: number;
  /**
   * Where a long script lies while nft reads it. From a pipe nft takes what came until its end, be
   * it that the agent was killed in the middle of it. The one that was refused last lies beside,
   * as `.refused`. Default: all scripts go through a pipe, and none is kept.
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
  options: LoadRulesOptions,
  script: string,
): Promise<string | undefined> {
  try {
    const { scriptFile } = options;
    if (scriptFile === undefined || script.length <= PIPED_CHARACTERS_MAX) {
      return await run(options, script, "-");
    }
    // Never in place: the nft of an agent that was killed may read the one before.
    const file = createConfigFile(scriptFile, `${scriptFile}.new`);
    await file.swap(script);
    const refusal = await run(options, script, scriptFile);
    await file.remove();
    return refusal;
  } catch (error) {
    return describeError(error);
  }
}

async function run(
  { program: command, timeoutMs, scriptFile, isCheck = false }: LoadRulesOptions,
  script: string,
  from: string,
): Promise<string | undefined> {
  const args = [...(isCheck ? ["--check"] : []), "--file", from];
  const input = from === "-" ? script : "";
  const limits = { timeoutMs, maxOutputBytes: WORDS_BYTES_MAX };
  const { code, signal, stderr, timedOut } = await runProgram({ command, args, input, ...limits });
  if (code === 0) return undefined;
  const end = `it ended with ${signal ?? code}, without a word`;
  const otherwise = timedOut ? `it did not end in ${timeoutMs} ms` : end;
  return nftRefusal(stderr, { otherwise, file: await setAside(scriptFile, script) });
}

/** @returns where the script lies; undefined: nowhere, and its words are worth telling without. */
async function setAside(
  scriptFile: string | undefined,
  script: string,
): Promise<string | undefined> {
  if (scriptFile === undefined) return undefined;
  const path = `${scriptFile}.refused`;
  return await createConfigFile(path, `${path}.new`)
    .swap(script)
    .then(
      () => path,
      () => undefined,
    );
}

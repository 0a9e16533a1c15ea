// What people call a process, by the words that it was started with. The kernel's own name for it
// is that of a thread: of each program of Node it is "MainThread". Pure.

import { escapeBounded } from "./escape.ts";

/** So much is read of what somebody else chose. */
const NAME_CHARACTERS_MAX = 40;

/** Programs that run another one, which is what people know. */
const INTERPRETER = /^(?:node|nodejs|deno|bun|python[0-9.]*|perl[0-9.]*|ruby[0-9.]*|bash|dash|sh)$/;
/** Options of theirs that have their value as the next word. */
const WITH_VALUE = new Set(["-r", "--require", "--import", "--loader", "-W", "-X", "-I", "-o"]);
/** The next word is a program itself, and no name. */
const INLINE = /^(?:-[a-z]*[cep]|--eval|--print)$/;
/** Of these every other package has one: the folder tells more. */
const COMMON_SCRIPT = /^(?:main|index|server|app|cli|start)\.[a-z]+$/;
const COMMON_FOLDER = new Set(["src", "dist", "lib", "bin", "build", ".", ".."]);

/**
 * The name of a program: of a script the script's, and not that of Node; `agent/main.ts` where the
 * script is called as many are. Escaped; at most 40 characters.
 * @param commandLine words with NUL between them, as /proc has them; empty: not to be seen.
 * @param threadName what the kernel calls it, for a process without words.
 */
export function programName(commandLine: string, threadName: string): string {
  const [first = "", ...words] = commandLine.split("\0");
  const program = baseOf(wordOf(first)).replace(/^-/, "");
  const script = INTERPRETER.test(program) ? scriptOf(words) : undefined;
  const name = script ?? (program === "" ? threadName.trim() : program);
  return escapeBounded(name === "" ? "a process" : name, NAME_CHARACTERS_MAX);
}

/** `nginx: master process /usr/sbin/nginx` is what a program made of its words: no path. */
function wordOf(first: string): string {
  return first.startsWith("/") ? first : (first.split(/:? /)[0] ?? "");
}

function scriptOf(words: readonly string[]): string | undefined {
  let isValue = false;
  for (const word of words) {
    if (isValue) isValue = false;
    else if (INLINE.test(word)) return undefined;
    else if (WITH_VALUE.has(word)) isValue = true;
    else if (word !== "" && !word.startsWith("-")) return scriptName(word);
  }
  return undefined;
}

function scriptName(path: string): string {
  const script = baseOf(path);
  if (!COMMON_SCRIPT.test(script)) return script;
  const folder = path
    .split("/")
    .slice(0, -1)
    .findLast((one) => one !== "" && !COMMON_FOLDER.has(one));
  return folder === undefined ? script : `${folder}/${script}`;
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

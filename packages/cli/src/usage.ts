// Everything that is wrong with a command line, at once: the parser stops at its first complaint,
// so what it complained of is taken out and the rest is parsed again. Given a program whose
// commands do nothing. Pure but for the parser.

import { type Command, CommanderError } from "commander";

/** The code of an option that is there twice, which the parser itself knows nothing of. */
export const GIVEN_TWICE = "fairlead.givenTwice";

/** Complaints of one command line; a longer list helps nobody. */
const COMPLAINTS_MAX = 20;

/**
 * The parser's complaints in the order of their discovery; empty when the line is right.
 * @param build makes the program anew: the parser keeps what it parsed.
 */
export async function usageComplaints(
  build: () => Command,
  args: readonly string[],
): Promise<readonly string[]> {
  const complaints: string[] = [];
  let rest = [...args];
  while (complaints.length < COMPLAINTS_MAX) {
    const complaint = await firstComplaint(build(), rest);
    if (complaint === undefined) break;
    complaints.push(complaint.message);
    const next = without(rest, complaint);
    if (next.length === rest.length) break;
    rest = next;
  }
  return complaints;
}

async function firstComplaint(
  program: Command,
  args: readonly string[],
): Promise<CommanderError | undefined> {
  try {
    await program.parseAsync([...args], { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? undefined : error;
  }
}

/** The line without what was complained of; the same line where that cannot be told. */
function without(args: readonly string[], { code, message }: CommanderError): string[] {
  const quoted = /(?:option|argument) '([^']*)'(?: is invalid| is given twice|$)/m.exec(
    message,
  )?.[1];
  if (quoted === undefined) return [...args];
  const isIt = (arg: string): boolean => arg === quoted || arg.startsWith(`${quoted}=`);
  if (code === GIVEN_TWICE) {
    const last = args.findLastIndex(isIt);
    return args.filter((_, at) => at !== last && !(at === last + 1 && args[last] === quoted));
  }
  const index = args.findIndex(isIt);
  if (code === "commander.unknownOption") return args.filter((_, at) => at !== index);
  if (code !== "commander.invalidArgument") return [...args];
  const joined = args.findIndex((arg) => arg.endsWith(`=${quoted}`));
  if (index < 0) return args.filter((_, at) => at !== joined);
  return args.filter((_, at) => at !== index && at !== index - 1);
}

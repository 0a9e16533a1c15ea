// The command `fairlead`: hands the command line to the program and its exit code to the shell.

import { describeError, fileError } from "@fairlead/runtime";

import { demoCommand } from "./commands/demo.ts";
import { runCommand } from "./commands/run.ts";
import { storeCommand } from "./commands/store.ts";
import { EXIT } from "./exit-codes.ts";
import { type CommandContext, complain } from "./output.ts";
import { runProgram } from "./program.ts";

/** What shells give for a program that SIGPIPE ended. */
const EXIT_PIPE_CLOSED = 141;

const context: CommandContext = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  onInterrupt: (run) => {
    process.on("SIGINT", run);
    return { [Symbol.dispose]: () => void process.off("SIGINT", run) };
  },
};

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Who reads may have seen enough, as `head` has: that ends a program without a word.
  if (error.code === "EPIPE") process.exit(EXIT_PIPE_CLOSED);
  const trouble = fileError(error, "standard output");
  const complaint = {
    what: "the answer cannot be written",
    why: describeError(trouble),
    remedy: "See where standard output goes, then run it again.",
    code: trouble.code,
  };
  process.exit(complain(context, complaint, EXIT.bad));
});
// Words for people that nobody gets change nothing of what was found or done.
process.stderr.on("error", () => undefined);

const code = await runProgram(process.argv.slice(2), context, [
  runCommand,
  demoCommand,
  storeCommand,
]);
// What is written has to leave first; and a name that nobody resolves would keep the process for
// half a minute after its command has given up.
await Promise.all([written(process.stdout), written(process.stderr)]);
process.exit(process.exitCode ?? code);

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

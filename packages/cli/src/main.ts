// The command `fairlead`: hands the command line to the program and its exit code to the shell.

import { demoCommand } from "./commands/demo.ts";
import { runCommand } from "./commands/run.ts";
import { runProgram } from "./program.ts";

const code = await runProgram(
  process.argv.slice(2),
  {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  },
  [runCommand, demoCommand],
);
process.exitCode ??= code;

// Starts fairlead-controller with this process's arguments and signals. Everything that can be
// tested stands in program.ts.

import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";

import { runProgram } from "./program.ts";

// Its errors reach us as errors; what it prints besides would stand between log records.
setLogVerbosity(logVerbosity.NONE);

const code = await runProgram({
  argv: process.argv.slice(2),
  env: process.env,
  process,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
// A connection whose other end is gone without a word would keep the process for a quarter hour.
process.exit(code);

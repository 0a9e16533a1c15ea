// Loaded into an agent before its program (`node --import`): the process kills itself (SIGKILL)
// right before it does a certain thing to its host, once a file names that. Things are files that
// it writes, and programs that it runs; what it has the kernel do over netlink is none.

import childProcess from "node:child_process";
import fs, { constants, readFileSync, writeSync } from "node:fs";
import fsPromises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

import { ARMED_BY, DIES_BEFORE } from "./arm.ts";

type Doer = (...args: never[]) => unknown;

function watch<Name extends string>(
  module: Record<Name, Doer>,
  name: Name,
  tell: (args: readonly unknown[]) => string | undefined,
): void {
  const real = module[name];
  module[name] = (...args) => {
    const thing = tell(args);
    if (thing !== undefined && thing === armed()) {
      writeSync(process.stderr.fd, `${DIES_BEFORE}${thing}\n`);
      process.kill(process.pid, "SIGKILL");
    }
    return Reflect.apply(real, module, args);
  };
}

function armed(): string | undefined {
  try {
    return readFileSync(ARMED_BY, "utf8");
  } catch {
    return undefined;
  }
}

/** The end of a path that tells files of daemons apart. */
function file(path: unknown): string {
  return String(path).split("/").slice(-2).join("/");
}

for (const module of [fs, fsPromises]) {
  watch(module, "rename", ([, to]) => `renames to ${file(to)}`);
  watch(module, "rm", ([path]) => `removes ${file(path)}`);
  watch(module, "writeFile", ([path]) => `writes ${file(path)}`);
}
watch(fsPromises, "open", ([path, flags]) => {
  const isWritten = typeof flags === "number" && (flags & constants.O_WRONLY) > 0;
  return isWritten ? `opens ${String(path).split("/").slice(-3).join("/")}` : undefined;
});
watch(childProcess, "spawn", ([command, args]) => {
  const [option = ""] = Array.isArray(args) ? args.map(String) : [];
  return `runs ${String(command).split("/").at(-1)} ${option}`;
});
syncBuiltinESMExports();

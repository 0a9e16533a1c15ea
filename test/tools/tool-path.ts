// Where the real programs are that tests and demos start. Given a module's name below this folder;
// it builds nothing: `npm test` does, and says so when it cannot.

import { existsSync } from "node:fs";
import { programPath } from "../../tools/programs/index.mjs";

/**
 * The path of a built test program, as in `toolPath("grpcurl")`. Throws with what to do when it is
 * not built.
 * @param program the program's own name where it differs from its module's.
 */
export function toolPath(name: string, program?: string): string {
  const path = programPath(name, program);
  if (existsSync(path)) return path;
  throw new Error(`${name} is not built at ${path}: run \`npm test\`, which builds it once`);
}

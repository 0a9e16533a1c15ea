// Node's HTTP without what an import of it loads beside it: an import reads each name of a module,
// and one of this module's is a getter that loads the whole client behind `fetch`, which nothing
// here uses (measured with Node 24: 6.5 MB of a process's own and 11 MB resident, instead of 0.7
// and 2). So programs take its functions from here, and only its types from there.

import type * as Http from "node:http";

/** The module `node:http`, as Node has it. */
export const nodeHttp: typeof Http = process.getBuiltinModule("node:http");

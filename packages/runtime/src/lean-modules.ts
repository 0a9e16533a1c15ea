// Modules of Node without what an import of them loads beside them: an import reads each name of a
// module, and some are getters. One of node:http's loads the whole client behind `fetch`, one of
// node:tls's makes texts of all certificates that come with Node; nothing here uses either
// (measured with Node 24: 5.8 and 0.8 MB of a process's own). So programs take the functions from
// here, and only the types from there.

import type * as Http from "node:http";
import type * as Tls from "node:tls";

/** The module `node:http`, as Node has it. */
export const nodeHttp: typeof Http = process.getBuiltinModule("node:http");

/** The module `node:tls`, as Node has it. */
export const nodeTls: typeof Tls = process.getBuiltinModule("node:tls");

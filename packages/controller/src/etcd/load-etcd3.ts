// The package etcd3, loaded when the first etcd is reached and not before: it costs an eighth of a
// second and 12 MB, which a controller without etcd and the command line would pay at every start.
// Everything else of this folder imports its types alone.

import { createRequire } from "node:module";

import type * as Etcd3Package from "etcd3";

/** The package; Node keeps it after the first call. */
export function loadEtcd3(): typeof Etcd3Package {
  return createRequire(import.meta.url)("etcd3") as typeof Etcd3Package;
}

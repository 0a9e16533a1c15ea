// Where the programs of a cluster run: on a host of the lab, where other hosts reach them, or on an
// address of the machine's loopback that nobody else has. Whatever is started or written in a place
// is gone when the process is gone that made it.

import type { Reach } from "../reach.ts";

/** A place for programs of a cluster. */
export interface Place extends Reach, AsyncDisposable {
  /** What stands in messages and is a name in the serving certificate. */
  readonly name: string;
  /** Where the servers listen; the first one stands in kubeconfigs. */
  readonly addresses: readonly [string, ...string[]];
  /** The folder for all files of the cluster, as the programs see it. */
  readonly dir: string;
  /** Whether other hosts may reach it, so that the API server may name itself as an endpoint. */
  readonly isReachable: boolean;
  /** Free ports of these usual numbers, or others where they may be taken. */
  ports<K extends string>(usual: Readonly<Record<K, number>>): Promise<Readonly<Record<K, number>>>;
  /** How this program connects to a port of the place. */
  way(port: number): Promise<Way>;
}

/** What node:net connects to: a port of this machine, or a unix socket. */
export type Way =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

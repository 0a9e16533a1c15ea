// What is needed to reach an apiserver, once everything is chosen and checked: the types between
// the readers (kubeconfig, in-cluster) and the access. Values only.

import type { Cluster, User } from "#client-node";

/** Where the text of a certificate or key comes from. */
export type PemSource =
  | { readonly kind: "file"; readonly what: string; readonly path: string }
  | { readonly kind: "inline"; readonly what: string; readonly pem: string };

/** The certificates of one access; files are read again, as they are rotated. */
export interface PemSources {
  readonly ca: PemSource | undefined;
  readonly certificate: PemSource | undefined;
  readonly key: PemSource | undefined;
}

/** One way to reach one apiserver. */
export interface AccessConfig {
  /** The context's name, for people. */
  readonly context: string;
  /** Without a slash at the end. */
  readonly server: string;
  /** Without certificates: those are in `pem`. */
  readonly cluster: Cluster;
  /** Without certificates and without a token that comes from a file. */
  readonly user: User;
  readonly pem: PemSources;
  /** A file with a bearer token, read again and again. It wins over a token of `user`. */
  readonly tokenFile: string | undefined;
  /** Headers that client-node does not know of, such as those of impersonation. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** The program that gives credentials, where there is one. */
  readonly exec: ExecConfig | undefined;
}

/** A credential plugin of a kubeconfig. */
export interface ExecConfig {
  /** A name to look up in PATH, or an absolute path. */
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  /** Given to the plugin when it asked for it with provideClusterInfo. */
  readonly clusterInfo: Readonly<Record<string, unknown>> | undefined;
}

// Where leases are kept, by flags: a file of SQLite, an etcd, or the cluster that Services come
// from. And how long a lead lasts where several controllers share a store. Pure.

import { join } from "node:path";

import { assertNever, isLabel } from "@fairlead/model";
import {
  type Complaint,
  type GivenSettings,
  type Setting,
  durationSetting,
  stringSetting,
} from "@fairlead/runtime";

import { ETCD_SCHEME, readEtcdUrls } from "./etcd/etcd-access.ts";
import {
  checkEtcdFlags,
  ETCD_SETTINGS,
  type EtcdFlags,
  type EtcdSettings,
  etcdSettings,
} from "./etcd-settings.ts";
import type { SourceFlags } from "./source-settings.ts";

/** The flags that say where leases are kept. */
export interface StoreFlags extends EtcdFlags {
  readonly store: string | undefined;
  readonly stateDir: string;
  readonly leaderLease: number;
  readonly namespace: string;
}

/** How each of them is read and explained. */
export type StoreSettingsTable = {
  readonly [Key in keyof StoreFlags]: Setting<StoreFlags[Key]>;
};

/** Where leases are kept. */
export type StoreSettings =
  /** A file of this host. One controller has it at a time. */
  | { readonly kind: "sqlite"; readonly path: string }
  /** Keys of an etcd that several controllers reach. */
  | ({ readonly kind: "etcd" } & EtcdSettings)
  /** Objects of the cluster that Services come from. */
  | {
      readonly kind: "kubernetes";
      /** Where the Lease of the leader is. */
      readonly namespace: string;
    };

const STATE_DIR = "/var/lib/fairlead";
const STORE_FILE = "store.db";
const SQLITE = "sqlite:";

/** The flags, as `readSettings` wants them. */
export const STORE_SETTINGS: StoreSettingsTable = {
  store: stringSetting({
    default: undefined,
    placeholder: "sqlite:FILE|etcd:URL[,URL]|kubernetes",
    help:
      "Where leases are kept: a file of this host, an etcd, or objects of the cluster. By default " +
      "in the cluster for a controller that runs inside of it, else in " +
      `${STORE_FILE} in the state directory.`,
    check: storeProblem,
  }),
  ...ETCD_SETTINGS,
  stateDir: stringSetting({
    default: STATE_DIR,
    placeholder: "DIR",
    help: "Where the controller keeps what must outlive it.",
    check: (text) => (text === "" ? "the path of a folder" : undefined),
  }),
  leaderLease: durationSetting({
    default: 15_000,
    minMs: 2000,
    maxMs: 300_000,
    help:
      "Of several controllers on one store, a standby takes over when the leader was silent for " +
      "so long.",
  }),
  namespace: stringSetting({
    default: "fairlead-system",
    placeholder: "NAME",
    help: "The namespace of the Lease by which controllers of a cluster agree on the leader.",
    check: (text) => (isLabel(text) ? undefined : "the name of a namespace"),
  }),
};

/** What is wrong with these flags together with those of sources. */
export function checkStoreFlags(
  settings: GivenSettings<{
    readonly [Key in "store" | "source" | keyof EtcdFlags]: Setting<
      (StoreFlags & SourceFlags)[Key]
    >;
  }>["settings"],
): readonly Complaint[] {
  const isInCluster = settings.store === "kubernetes";
  const isLost = isInCluster && settings.source !== undefined;
  return [...(isLost ? [NO_CLUSTER] : []), ...checkEtcdFlags(settings)];
}

/** The kind of store that these flags come to. */
export function storeKind(
  flags: Pick<StoreFlags & SourceFlags, "store" | "source" | "kubeconfig">,
): StoreSettings["kind"] {
  const { store, source, kubeconfig } = flags;
  // Whoever names neither a folder nor a kubeconfig runs inside of the cluster.
  const isInside = source === undefined && kubeconfig === undefined;
  if (store === "kubernetes" || (store === undefined && isInside)) return "kubernetes";
  return store?.startsWith(ETCD_SCHEME) === true ? "etcd" : "sqlite";
}

/** Where leases are kept, by flags that nothing is wrong with. */
export function storeSettings(flags: StoreFlags & SourceFlags): StoreSettings {
  const { store = "", stateDir, namespace } = flags;
  const kind = storeKind(flags);
  switch (kind) {
    case "kubernetes":
      return { kind, namespace };
    case "etcd":
      return { kind, ...etcdSettings(store, flags) };
    case "sqlite":
      return { kind, path: store.slice(SQLITE.length) || sqlitePath(stateDir) };
    default:
      return assertNever(kind, "a store of no kind");
  }
}

/** The store's file where none is named. */
export function sqlitePath(stateDir: string): string {
  return join(stateDir, STORE_FILE);
}

const NO_CLUSTER: Complaint = {
  what: "--store",
  why: "leases are kept in the cluster that Services come from, and they come from a folder",
  todo: "name the cluster by --kubeconfig FILE instead of --source, or keep leases in sqlite:FILE",
  code: "ConflictingSettings",
};

/** What would be right where a text names no store; undefined where it does. */
export function storeProblem(text: string): string | undefined {
  if (text === "kubernetes") return undefined;
  if (text.startsWith(SQLITE) && text.length > SQLITE.length) return undefined;
  if (text.startsWith(ETCD_SCHEME)) {
    const read = readEtcdUrls(text);
    return read.kind === "ok" ? undefined : read.expected;
  }
  return "sqlite:FILE, such as sqlite:/var/lib/fairlead/store.db, etcd:URL[,URL], or kubernetes";
}

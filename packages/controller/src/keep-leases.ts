// Where leases are kept and who may write them, as settings say: election and store. Besides
// adapters.ts the only file that knows every kind of both. Given the cluster's client where there
// is one; nothing is opened or asked here.

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";

import { assert, assertNever } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import { createKubeElection } from "./election/kube/kube-election.ts";
import { createSoleElection } from "./election/sole-election.ts";
import { createEtcdAdapters } from "./etcd-adapters.ts";
import { guardWrites } from "./kube/guard-writes.ts";
import type { KubeClient } from "./kube/kube-client.ts";
import type { IpamStore } from "./ipam/ports.ts";
import type { Election, Source, Store } from "./ports.ts";
import type { ServiceBackends } from "./sources/service-backends.ts";
import type { TranslateSettings } from "./sources/translate-service.ts";
import { createKubeIpamStore } from "./store/kube/kube-ipam-store.ts";
import { createKubeStore } from "./store/kube/kube-store.ts";
import { createSqliteStore } from "./store/sqlite/sqlite-store.ts";
import type { StoreSettings } from "./store-settings.ts";

/** Names of hosts are cut to this: events.k8s.io/v1 takes no longer reportingInstance. */
const HOST_CHARACTERS_MAX = 128;
/** Random bytes of an identity: enough that no two processes of a host have the same. */
const IDENTITY_BYTES = 4;

/** What is kept where. */
export interface LeaseKeeping {
  readonly election: Election;
  readonly store: Store;
  /** Makes a store of the IPAM service for one lead; absent where it has a file. */
  ipamStore?(): IpamStore;
  /** Sources of claims that the store's own system holds. */
  declared(backends: ServiceBackends, settings: TranslateSettings): readonly Source[];
  /** Ends what the two share; after they have ended. */
  close(): void;
}

/** What it is made from. */
export interface LeaseKeepingOptions {
  readonly store: StoreSettings;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** How long a lead lasts that is not renewed, in ms. */
  readonly leaseMs: number;
  /** Of the cluster; needed where leases are its objects. */
  readonly client?: KubeClient;
  /** A transaction of the store ended; the rows that it wrote. */
  readonly onStored: (rows: number) => void;
}

/** Makes both; nothing is opened. Throws an EdgeError for files that cannot be used. */
export function keepLeases(options: LeaseKeepingOptions): LeaseKeeping {
  const { store, clock, random, leaseMs, client, onStored } = options;
  const identity = `${thisHost()}_${randomBytes(IDENTITY_BYTES).toString("hex")}`;
  const alone = { declared: () => [], close: () => undefined };
  switch (store.kind) {
    case "sqlite":
      // A file of this host, with nobody beside us.
      return {
        election: createSoleElection(identity),
        store: createSqliteStore({ path: store.path, onWrite: onStored }),
        ...alone,
      };
    case "etcd": {
      const asked = { settings: store, clock, random, identity, leaseMs, onStored };
      const etcd = createEtcdAdapters(asked);
      return {
        election: etcd.election,
        store: etcd.store,
        ipamStore: () => etcd.ipamStore(),
        declared: (backends, settings) => [etcd.source(backends, settings)],
        close: () => etcd.close(),
      };
    }
    case "kubernetes": {
      assert(client !== undefined, "without a cluster no settings ask for its store");
      const { namespace } = store;
      const election = createKubeElection({ client, clock, random, namespace, leaseMs, identity });
      const guarded = guardWrites(client, () => election.view().leads);
      return {
        election,
        store: createKubeStore({ client: guarded, clock, onWrite: onStored }),
        ipamStore: () => createKubeIpamStore({ client: guarded, clock }),
        ...alone,
      };
    }
    default:
      return assertNever(store, "unknown store");
  }
}

/** The name of this host, of at most 128 characters. */
export function thisHost(): string {
  return hostname().slice(0, HOST_CHARACTERS_MAX);
}

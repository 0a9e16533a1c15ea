// What a controller has of an etcd: election, stores and declared VIPs, over one client. Given the
// settings. Besides adapters.ts the only file that knows these together.

import { readFileSync } from "node:fs";

import { type Clock, EdgeError, describeError } from "@fairlead/runtime";

import { createEtcdElection } from "./election/etcd/etcd-election.ts";
import type { EtcdAccess, EtcdTls } from "./etcd/etcd-access.ts";
import { createEtcdClient, type EtcdClient } from "./etcd/etcd-client.ts";
import { guardEtcdWrites } from "./etcd/guard-writes.ts";
import type { EtcdSettings } from "./etcd-settings.ts";
import type { IpamStore } from "./ipam/ports.ts";
import type { Election, Source, Store } from "./ports.ts";
import { createEtcdVipSource } from "./sources/etcd/etcd-vip-source.ts";
import type { ServiceBackends } from "./sources/service-backends.ts";
import type { TranslateSettings } from "./sources/translate-service.ts";
import { createEtcdIpamStore } from "./store/etcd/etcd-ipam-store.ts";
import { createEtcdStore } from "./store/etcd/etcd-store.ts";

/** What is made of an etcd. */
export interface EtcdAdapters {
  readonly election: Election;
  readonly store: Store;
  /** Makes a store of the IPAM service, for one lead. */
  ipamStore(): IpamStore;
  /** Makes the source of declared VIPs, given where Services are seen. */
  source(backends: ServiceBackends, settings: TranslateSettings): Source;
  /** Ends the client; after the others have ended. */
  close(): void;
}

/** What they are made from. */
export interface EtcdAdapterOptions {
  readonly settings: EtcdSettings;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly identity: string;
  readonly leaseMs: number;
  readonly onStored: (rows: number) => void;
}

/** Makes them; nothing is asked yet. Throws an EdgeError for a file that cannot be read. */
export function createEtcdAdapters(options: EtcdAdapterOptions): EtcdAdapters {
  const { settings, clock, random, identity, leaseMs, onStored } = options;
  const { base } = settings;
  const client = connectEtcd(settings, clock);
  const election = createEtcdElection({ client, base, clock, random, identity, leaseMs });
  const guarded = guardEtcdWrites(client, () => election.view().leads);
  return {
    election,
    store: createEtcdStore({ client: guarded, base, onWrite: onStored }),
    ipamStore: () => createEtcdIpamStore({ client: guarded, base }),
    source: (backends, translate) =>
      createEtcdVipSource({ client, base, clock, random, backends, settings: translate }),
    close: () => client[Symbol.dispose](),
  };
}

/** Makes a client; nothing is asked yet. Throws an EdgeError for a file that cannot be read. */
export function connectEtcd(settings: EtcdSettings, clock: Clock): EtcdClient {
  const access: EtcdAccess = { ...settings.access, ...tlsOf(settings) };
  return createEtcdClient({ access, clock });
}

function tlsOf({ caFile, certFile, keyFile }: EtcdSettings): { readonly tls?: EtcdTls } {
  const tls: EtcdTls = {
    ...(caFile === undefined ? {} : { caPem: readPem("--etcd-ca-file", caFile) }),
    ...(certFile === undefined ? {} : { certificatePem: readPem("--etcd-cert-file", certFile) }),
    ...(keyFile === undefined ? {} : { keyPem: readPem("--etcd-key-file", keyFile) }),
  };
  return Object.keys(tls).length === 0 ? {} : { tls };
}

function readPem(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const message = `cannot read the file of ${flag}: ${describeError(error)}`;
    throw new EdgeError({ code: "UNREADABLE", message, retryable: false, cause: error });
  }
}

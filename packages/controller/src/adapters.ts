// The adapters that the settings name: store, sources, publishers. Besides main and controller.ts
// the only file that knows every adapter. A cluster's source and its publisher share one client.

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";

import { type KubeAccess, loadKubeAccess } from "@fairlead/kubeconfig";
import { assert, assertNever } from "@fairlead/model";
import { type Clock, type Metrics, VERSION } from "@fairlead/runtime";

import { addFollowMetrics, addWriteMetrics } from "./cluster-metrics.ts";
import { createPoolSource } from "./config/pool-source.ts";
import { createKubeElection } from "./election/kube/kube-election.ts";
import { createSoleElection } from "./election/sole-election.ts";
import { createEtcdAdapters } from "./etcd-adapters.ts";
import type { Fact } from "./facts.ts";
import { guardWrites } from "./kube/guard-writes.ts";
import { createKubeClient, type KubeClient } from "./kube/kube-client.ts";
import { type ServiceBook, STATUS_MANAGER } from "./kube/service-record.ts";
import type { Election, Publisher, Source, Store } from "./ports.ts";
import { createFolderPublisher } from "./publish/folder/folder-publisher.ts";
import { createKubePublisher } from "./publish/kube/kube-publisher.ts";
import { createPoolPublisher } from "./publish/kube/pool-publisher.ts";
import type { PublishTrouble } from "./publish/kube/publish-trouble.ts";
import type { ControllerSettings } from "./settings.ts";
import type { SourceSettings } from "./source-settings.ts";
import { createFolderSource } from "./sources/folder/folder-source.ts";
import { createKubeSource } from "./sources/kube/kube-source.ts";
import type { ServiceBackends } from "./sources/service-backends.ts";
import type { TranslateSettings } from "./sources/translate-service.ts";
import { createKubeStore } from "./store/kube/kube-store.ts";
import { createSqliteStore } from "./store/sqlite/sqlite-store.ts";

/** The load-balancer class that our agents serve. */
const AGENTS_CLASS = "fairlead.io/agents";
/** Of whom the publisher's findings are, among facts. */
const PUBLISHER = "kubernetes publisher";
/** events.k8s.io/v1: reportingInstance has at most so many. */
const INSTANCE_CHARACTERS_MAX = 128;
/** Random bytes of an identity: enough that no two processes of a host have the same. */
const IDENTITY_BYTES = 4;

/** Everything of the outside world that the loop works with. */
export interface Adapters {
  readonly election: Election;
  readonly store: Store;
  readonly sources: readonly Source[];
  readonly publishers: readonly Publisher[];
  /** Services as the cluster has them; absent where Services come from elsewhere. */
  readonly services?: ServiceBook;
  /** Ends what adapters share; after they have ended. */
  close(): void;
}

/** What adapters are made from. */
export interface AdapterOptions {
  readonly settings: ControllerSettings;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** A transaction of the store ended; the rows that it wrote. */
  readonly onStored: (rows: number) => void;
  /** Takes what an adapter that is no source has to say. */
  readonly emit: (facts: readonly Fact[]) => void;
}

/** Makes them; nothing is opened. Throws an EdgeError for files that cannot be used. */
export function createAdapters(options: AdapterOptions): Adapters {
  const { settings, clock } = options;
  const { source, pools } = settings;
  const poolSource = createPoolSource({ pools, clock });
  if (source.kind === "cluster") return clusterAdapters(options, source, poolSource);
  const translate = translateSettings(settings);
  const kept = keep(options, undefined);
  const folder = createFolderSource({ folder: source.folder, clock, settings: translate });
  return {
    ...kept,
    sources: [poolSource, folder, ...kept.declared(folder.backends, translate)],
    publishers: [createFolderPublisher({ folder: source.folder })],
  };
}

interface Kept extends Pick<Adapters, "election" | "store" | "close"> {
  /** Sources of claims that the store's own system holds. */
  declared(backends: ServiceBackends, settings: TranslateSettings): readonly Source[];
}

/** Where leases are kept, and who may write them. `client`: of the cluster, where there is one. */
function keep(options: AdapterOptions, client: KubeClient | undefined): Kept {
  const { settings, clock, random, onStored } = options;
  const { leaderLeaseMs: leaseMs, store } = settings;
  switch (store.kind) {
    case "sqlite":
      // A file of this host, with nobody beside us.
      return {
        election: createSoleElection(identity()),
        store: createSqliteStore({ path: store.path, onWrite: onStored }),
        declared: () => [],
        close: () => undefined,
      };
    case "etcd": {
      const asked = { settings: store, clock, random, identity: identity(), leaseMs, onStored };
      const { source, ...etcd } = createEtcdAdapters(asked);
      return { ...etcd, declared: (...at) => [source(...at)] };
    }
    case "kubernetes": {
      assert(client !== undefined, "without a cluster no settings ask for its store");
      const { namespace } = store;
      const asked = { client, clock, random, namespace, leaseMs, identity: identity() };
      const election = createKubeElection(asked);
      const guarded = guardWrites(client, () => election.view().leads);
      return {
        election,
        store: createKubeStore({ client: guarded, clock, onWrite: onStored }),
        declared: () => [],
        close: () => undefined,
      };
    }
    default:
      return assertNever(store, "unknown store");
  }
}

/** Unique to the process, and led by what people know it by. */
function identity(): string {
  return `${thisHost()}_${randomBytes(IDENTITY_BYTES).toString("hex")}`;
}

function thisHost(): string {
  return hostname().slice(0, INSTANCE_CHARACTERS_MAX);
}

function clusterAdapters(
  options: AdapterOptions,
  { kubeconfig, context }: Extract<SourceSettings, { kind: "cluster" }>,
  poolSource: Source,
): Adapters {
  const { settings, clock, metrics, random, emit } = options;
  const access: KubeAccess = loadKubeAccess({ kubeconfig, context });
  const client = createKubeClient({ access, clock, userAgent: `fairlead-controller/${VERSION}` });
  const kept = keep(options, client);
  const translate = translateSettings(settings);
  const cluster = createKubeSource({
    client,
    clock,
    random,
    cluster: access.context,
    settings: translate,
  });
  addFollowMetrics(metrics, () => cluster.counts());
  const onTrouble = (trouble: PublishTrouble): void => emit([{ ...trouble, source: PUBLISHER }]);
  const writeMetrics = addWriteMetrics(metrics);
  const written = guardWrites(client, () => kept.election.view().leads);
  const publisher = createKubePublisher({
    client: written,
    clock,
    random,
    book: cluster.book,
    instance: thisHost(),
    onTrouble,
    ...writeMetrics,
  });
  const { onWrite } = writeMetrics;
  const { pools } = cluster;
  const poolPublisher = createPoolPublisher({
    client: written,
    clock,
    random,
    pools,
    onTrouble,
    onWrite,
  });
  return {
    ...kept,
    sources: [poolSource, cluster, ...kept.declared(cluster.backends, translate)],
    publishers: [publisher, poolPublisher],
    services: cluster.book,
    close: () => {
      kept.close();
      access.close();
    },
  };
}

function translateSettings(settings: ControllerSettings): TranslateSettings {
  const { defaultClass, members, nodeSelector } = settings;
  const classes = [AGENTS_CLASS];
  const isShared = settings.source.kind === "cluster";
  const ownFieldManager = STATUS_MANAGER;
  return { defaultClass, classes, members, nodeSelector, ownFieldManager, isShared };
}

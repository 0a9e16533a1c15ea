// The adapters that the settings name: store, sources, publishers. Besides main and controller.ts
// the only file that knows every adapter. A cluster's source and its publisher share one client.

import { type KubeAccess, loadKubeAccess } from "@fairlead/kubeconfig";
import { type Clock, type Logger, type Metrics, VERSION } from "@fairlead/runtime";

import { addFollowMetrics, addWriteMetrics } from "./cluster-metrics.ts";
import { createPoolSource } from "./config/pool-source.ts";
import type { Fact } from "./facts.ts";
import { createHttpIpamClient } from "./ipam-http/http-ipam-client.ts";
import { guardWrites } from "./kube/guard-writes.ts";
import { createKubeClient } from "./kube/kube-client.ts";
import { lookUpHost } from "./kube/look-up-host.ts";
import { type ServiceBook, STATUS_MANAGER } from "./kube/service-record.ts";
import { keepLeases, thisHost } from "./keep-leases.ts";
import type { IpamStore } from "./ipam/ports.ts";
import type { Election, Publisher, Source, Store } from "./ports.ts";
import { createFolderPublisher } from "./publish/folder/folder-publisher.ts";
import { leftText } from "./publish/kube/empty-external.ts";
import { createKubePublisher } from "./publish/kube/kube-publisher.ts";
import { createPoolPublisher } from "./publish/kube/pool-publisher.ts";
import type { PublishTrouble } from "./publish/kube/publish-trouble.ts";
import { createRegistrar } from "./registrar/registrar.ts";
import { addRegistrarMetrics } from "./registrar-metrics.ts";
import type { ControllerSettings } from "./settings.ts";
import type { SourceSettings } from "./source-settings.ts";
import { createFolderSource } from "./sources/folder/folder-source.ts";
import { createKubeSource } from "./sources/kube/kube-source.ts";
import type { TranslateSettings } from "./sources/translate-service.ts";

/** The load-balancer class that our agents serve. */
const AGENTS_CLASS = "fairlead.io/agents";
/** Of whom the publisher's findings are, among facts. */
const PUBLISHER = "kubernetes publisher";

/** Everything of the outside world that the loop works with. */
export interface Adapters {
  readonly election: Election;
  readonly store: Store;
  readonly sources: readonly Source[];
  readonly publishers: readonly Publisher[];
  /** Makes a store of the IPAM service for one lead; absent where it has a file. */
  ipamStore?(): IpamStore;
  /** Services as the cluster has them; absent where Services come from elsewhere. */
  readonly services?: ServiceBook;
  /** Ends what adapters share; after they have ended. */
  close(): void;
}

/** What adapters are made from. */
export interface AdapterOptions {
  readonly settings: ControllerSettings;
  readonly clock: Clock;
  readonly log: Logger;
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
  if (source.kind === "cluster") {
    return withRegistrar(options, clusterAdapters(options, source, poolSource));
  }
  const translate = translateSettings(settings);
  const kept = keepLeases({ ...options, store: settings.store, leaseMs: settings.leaderLeaseMs });
  const { identity } = kept.election;
  const folder = createFolderSource({ folder: source.folder, clock, settings: translate });
  return withRegistrar(options, {
    ...kept,
    sources: [poolSource, folder, ...kept.declared(folder.backends, translate)],
    publishers: [createFolderPublisher({ folder: source.folder, identity })],
  });
}

/** With what keeps external pools: it waits for no other publisher. */
function withRegistrar(options: AdapterOptions, rest: Adapters): Adapters {
  const { clock, random, emit, metrics, settings } = options;
  const client = createHttpIpamClient({ filesDir: settings.externalPoolDir, clock });
  const onAsked = addRegistrarMetrics(metrics);
  const registrar = createRegistrar({ client, clock, random, emit, onAsked });
  return {
    ...rest,
    publishers: [registrar, ...rest.publishers],
    close: () => {
      client[Symbol.dispose]();
      rest.close();
    },
  };
}

function clusterAdapters(
  options: AdapterOptions,
  { kubeconfig, context }: Extract<SourceSettings, { kind: "cluster" }>,
  poolSource: Source,
): Adapters {
  const { settings, clock, log, metrics, random, emit } = options;
  const access: KubeAccess = loadKubeAccess({ kubeconfig, context });
  const client = createKubeClient({ access, clock, userAgent: `fairlead-controller/${VERSION}` });
  const { store, leaderLeaseMs: leaseMs } = settings;
  const kept = keepLeases({ ...options, store, leaseMs, client });
  const translate = translateSettings(settings);
  const cluster = createKubeSource({
    client,
    clock,
    random,
    cluster: access.context,
    settings: translate,
    lookUp: lookUpHost,
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
    emptiesOnExit: settings.emptiesOnExit,
    instance: thisHost(),
    onTrouble,
    onLeft: (left) =>
      log.warn({ services: leftText(left) }, "could not take addresses out of spec.externalIPs"),
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
  const { defaultClass, members, nodeSelector, writesExternalIPs } = settings;
  const classes = [AGENTS_CLASS];
  const isShared = settings.source.kind === "cluster";
  const ownFieldManager = STATUS_MANAGER;
  const own = { defaultClass, members, nodeSelector, writesExternalIPs };
  return { ...own, classes, ownFieldManager, isShared };
}

// The kinds of objects that are followed in a cluster, each by a list-watch of its own. Given who
// wants to know; a further kind is one more entry here. It keeps the book of Services.

import { FINALIZER, type ServiceBook, type ServiceRecord } from "../../kube/service-record.ts";
import { createSharedTexts } from "../../kube/shared-texts.ts";
import type { NodeObject } from "../node-object.ts";
import type { SourceObject } from "../objects.ts";
import { type Followed, type FollowContext, followKind } from "./follow-kind.ts";
import { keepObjects, type KeptObjects } from "./kept-objects.ts";
import type { ListWatchCounts } from "./list-watch.ts";
import { createNodeGrace } from "./node-grace.ts";
import type { Change, Entry } from "./object-set.ts";
import { followPools, type PoolKind } from "./pool-kind.ts";
import { type ReadObject, readNode, readSlice } from "./read-object.ts";
import { readService, type ServiceReading } from "./read-service.ts";

/** What is followed for whom. */
export interface FollowOptions extends FollowContext {
  /** The cluster's name for people. */
  readonly cluster: string;
  /** Slices are followed for members out of endpoints, Nodes for members out of nodes. */
  readonly members: "endpoints" | "nodes";
  /** Whether Nodes are followed from the start in any case, for where agents are. */
  readonly followsNodes: boolean;
  readonly onService: (key: string, reading: ServiceReading | undefined) => void;
  readonly onSlice: (key: string, object: SourceObject | undefined) => void;
  readonly onNodes: () => void;
  /** A whole list or look of Services was taken in. */
  readonly onServicesListed: () => void;
}

/** How following a kind went so far. */
export interface KindCounts extends ListWatchCounts {
  readonly isSynced: boolean;
  readonly objects: number;
}

/** All kinds that are followed. */
export interface FollowedKinds extends AsyncDisposable {
  readonly services: ReadonlyMap<string, Entry<ServiceReading>>;
  readonly pools: PoolKind;
  readonly book: ServiceBook;
  start(): void;
  /** Whether each kind was listed whole, or has none to be waited for. */
  isSynced(): boolean;
  /** Nodes as they are; none while they are not followed. */
  nodes(): Iterable<NodeObject>;
  /** Nodes as they count as members now, and when that changes by time alone, monotonic ms. */
  judgeNodes(): { readonly nodes: readonly NodeObject[]; readonly dueMs: number | undefined };
  counts(): ReadonlyMap<string, KindCounts>;
}

/** Makes them; nothing is asked before `start`. */
export function followKinds(options: FollowOptions): FollowedKinds {
  const { cluster, clock, members } = options;
  const origin = `cluster ${cluster}`;
  const nodeNews = createNews();
  nodeNews.subscribe(options.onNodes);
  const watchers: ServiceWatchers = new Set();
  const reading = { origin, share: createSharedTexts() };
  const services = followKind<ServiceReading>(options, {
    kind: { resource: "services", group: "" },
    path: "/api/v1/services",
    read: (object) => readService(object, reading),
    onChanges: (changes) => tellServices(changes, options, watchers),
    onListed: options.onServicesListed,
  });
  const places = keepObjects(options);
  const slices = keepObjects({ ...options, onObject: options.onSlice });
  const others =
    members === "endpoints"
      ? followKind<ReadObject>(options, {
          kind: { resource: "endpointslices", group: "discovery.k8s.io" },
          path: "/apis/discovery.k8s.io/v1/endpointslices",
          read: (object) => readSlice(object, origin),
          onChanges: (changes) => slices.take(changes),
        })
      : followNodes(options, places, nodeNews.tell);
  const isExtra = members === "endpoints" && options.followsNodes;
  const extra = isExtra ? followNodes(options, places, nodeNews.tell) : undefined;
  const pools = followPools(options, origin);
  const grace = createNodeGrace();
  let isEnded = false;
  const kinds = new Map<string, AnyKind>([
    ["services", sized(services)],
    [members === "endpoints" ? "endpointslices" : "nodes", sized(others)],
    ...(extra === undefined ? [] : [["nodes", sized(extra)] as const]),
    ["addresspools", pools],
  ]);
  // Nothing else waits for them: what is served goes on, also where nodes may not be listed.
  const followNodesAside = (): void => {
    if (isEnded || kinds.has("nodes")) return;
    const aside = followNodes(options, places, nodeNews.tell, true);
    kinds.set("nodes", sized(aside));
    aside.start();
  };
  return {
    services: services.entries,
    pools,
    book: {
      ...createBook(services.entries, watchers),
      nodeAddresses: () => (kinds.get("nodes")?.isSynced() ? addressesOf(places) : undefined),
      followNodes: followNodesAside,
      subscribeNodes: nodeNews.subscribe,
    },
    start: () => {
      for (const { start } of kinds.values()) start();
    },
    isSynced: () => [...kinds.values()].every((kind) => kind.isSettled()),
    nodes: () => nodesIn(places).values(),
    judgeNodes: () => grace.judge(nodesIn(places), clock.nowMs()),
    counts: () => countsOf(kinds),
    [Symbol.asyncDispose]: async () => {
      isEnded = true;
      await Promise.all(Array.from(kinds.values(), (kind) => kind.end()));
    },
  };
}

/** Tells of Services that are others now; of one in doubt only those who look at its record. */
function tellServices(
  changes: readonly Change<ServiceReading>[],
  { onService }: Pick<FollowOptions, "onService">,
  watchers: ServiceWatchers,
): void {
  for (const change of changes) {
    const { key, value } = change.entry;
    if (change.kind !== "doubt") onService(key, change.kind === "gone" ? undefined : value);
    for (const tell of watchers) tell(value.record.namespace, value.record.name);
  }
}

type ServiceWatchers = Set<(namespace: string, name: string) => void>;

/** Those who are told that something may be different. */
function createNews(): {
  readonly subscribe: (onChange: () => void) => () => void;
  readonly tell: () => void;
} {
  const listeners = new Set<() => void>();
  return {
    subscribe: (onChange) => {
      listeners.add(onChange);
      return () => void listeners.delete(onChange);
    },
    tell: () => {
      for (const onChange of listeners) onChange();
    },
  };
}

function followNodes(
  options: FollowOptions,
  kept: KeptObjects,
  onNodes: () => void,
  isAside = false,
): Followed<ReadObject> {
  const origin = `cluster ${options.cluster}`;
  return followKind<ReadObject>(options, {
    kind: { resource: "nodes", group: "" },
    path: "/api/v1/nodes",
    read: (object) => readNode(object, origin),
    onChanges: (changes) => {
      kept.take(changes);
      onNodes();
    },
    // That there are none is news to who waits for them.
    ...(isAside ? { onListed: onNodes, isAside } : {}),
  });
}

function addressesOf(kept: KeptObjects): ReadonlySet<string> {
  const texts = new Set<string>();
  for (const { addresses } of nodesIn(kept).values()) {
    for (const { address } of addresses) texts.add(address);
  }
  return texts;
}

function countsOf(kinds: ReadonlyMap<string, AnyKind>): ReadonlyMap<string, KindCounts> {
  return new Map(
    Array.from(kinds, ([name, kind]) => [
      name,
      { ...kind.counts(), isSynced: kind.isSynced(), objects: kind.size() },
    ]),
  );
}

/** What all kinds have in common. */
interface AnyKind extends Omit<Followed<unknown>, "entries"> {
  size(): number;
}

function sized<T>(kind: Followed<T>): AnyKind {
  return { ...kind, size: () => kind.entries.size };
}

function createBook(
  entries: ReadonlyMap<string, Entry<ServiceReading>>,
  watchers: ServiceWatchers,
): ServiceBook {
  return {
    get: (namespace, name) => entries.get(`${namespace}/${name}`)?.value.record,
    *marked() {
      for (const { value } of entries.values()) if (isMarked(value.record)) yield value.record;
    },
    subscribe: (onChange) => {
      watchers.add(onChange);
      return () => void watchers.delete(onChange);
    },
  };
}

function isMarked({ finalizers, conditions, writtenExternalIPs }: ServiceRecord): boolean {
  const isNoted = writtenExternalIPs !== undefined;
  return finalizers.includes(FINALIZER) || conditions.length > 0 || isNoted;
}

function nodesIn({ objects }: KeptObjects): ReadonlyMap<string, NodeObject> {
  const nodes = new Map<string, NodeObject>();
  for (const [key, object] of objects) if (object.kind === "Node") nodes.set(key, object.value);
  return nodes;
}

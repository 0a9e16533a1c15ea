// The kinds of objects that are followed in a cluster, each by a list-watch of its own. Given who
// wants to know; a further kind is one more entry here. It keeps the book of Services.

import type { Clock } from "@fairlead/runtime";

import type { Fact } from "../../facts.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import { FINALIZER, type ServiceBook, type ServiceRecord } from "../../kube/service-record.ts";
import type { Json } from "../../kube/object-fields.ts";
import type { NodeObject } from "../node-object.ts";
import { findingName, isToldAtOnce, type KindName, troubleFinding } from "./kube-trouble.ts";
import { createListWatch, type ListWatch, type ListWatchCounts } from "./list-watch.ts";
import { createNodeGrace } from "./node-grace.ts";
import type { Change, Entry } from "./object-set.ts";
import { isUsable, type ReadObject, readNode, readSlice } from "./read-object.ts";
import { readService, type ServiceReading } from "./read-service.ts";

/** What is followed for whom. */
export interface FollowOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  /** Time between two second looks, in ms. Default: ten minutes. */
  readonly lookMs?: number;
  /** The cluster's name for people. */
  readonly cluster: string;
  /** The source that facts are of. */
  readonly source: string;
  /** Slices are followed for members out of endpoints, Nodes for members out of nodes. */
  readonly members: "endpoints" | "nodes";
  readonly onService: (key: string, reading: ServiceReading | undefined) => void;
  readonly onSlice: (key: string, object: ReadObject | undefined) => void;
  readonly onNodes: () => void;
  /** A whole list or look of Services was taken in. */
  readonly onServicesListed: () => void;
  /** A kind cannot be followed, or can again. */
  readonly onFact: (fact: Fact) => void;
  /** After any of these. */
  readonly onNews: () => void;
}

/** How following a kind went so far. */
export interface KindCounts extends ListWatchCounts {
  readonly isSynced: boolean;
  readonly objects: number;
}

/** All kinds that are followed. */
export interface FollowedKinds extends AsyncDisposable {
  readonly services: ReadonlyMap<string, Entry<ServiceReading>>;
  readonly book: ServiceBook;
  start(): void;
  /** Whether each kind was listed whole. */
  isSynced(): boolean;
  /** Nodes as they count now, and when that changes by time alone, monotonic ms. */
  judgeNodes(): { readonly nodes: readonly NodeObject[]; readonly dueMs: number | undefined };
  counts(): ReadonlyMap<string, KindCounts>;
}

/** Makes them; nothing is asked before `start`. */
export function followKinds(options: FollowOptions): FollowedKinds {
  const { cluster, clock, members } = options;
  const origin = `cluster ${cluster}`;
  const watchers = new Set<(namespace: string, name: string) => void>();
  const services = follow<ServiceReading>(options, {
    kind: { resource: "services", group: "" },
    path: "/api/v1/services",
    read: (object) => readService(object, origin),
    onChanges: (changes) => {
      for (const change of changes) {
        const { key, value } = change.entry;
        if (change.kind !== "doubt") {
          options.onService(key, change.kind === "gone" ? undefined : value);
        }
        for (const tell of watchers) tell(value.record.namespace, value.record.name);
      }
    },
    onListed: options.onServicesListed,
  });
  const others =
    members === "endpoints"
      ? follow<ReadObject>(options, {
          kind: { resource: "endpointslices", group: "discovery.k8s.io" },
          path: "/apis/discovery.k8s.io/v1/endpointslices",
          read: (object) => readSlice(object, origin),
          onChanges: (changes) => {
            for (const { kind, entry } of changes) {
              if (kind !== "doubt") {
                options.onSlice(entry.key, kind === "gone" ? undefined : entry.value);
              }
            }
          },
        })
      : follow<ReadObject>(options, {
          kind: { resource: "nodes", group: "" },
          path: "/api/v1/nodes",
          read: (object) => readNode(object, origin),
          onChanges: options.onNodes,
        });
  const grace = createNodeGrace();
  const kinds = new Map<string, Followed<ServiceReading> | Followed<ReadObject>>([
    ["services", services],
    [members === "endpoints" ? "endpointslices" : "nodes", others],
  ]);
  return {
    services: services.entries,
    book: createBook(services.entries, watchers),
    start: () => {
      for (const { start } of kinds.values()) start();
    },
    isSynced: () => [...kinds.values()].every((kind) => kind.isSynced()),
    judgeNodes: () => grace.judge(nodesIn(others.entries), clock.nowMs()),
    counts: () =>
      new Map(
        Array.from(kinds, ([name, kind]) => [
          name,
          { ...kind.counts(), isSynced: kind.isSynced(), objects: kind.entries.size },
        ]),
      ),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([services.end(), others.end()]);
    },
  };
}

interface Followed<T> extends Pick<ListWatch<T>, "entries" | "isSynced" | "counts" | "start"> {
  end(): Promise<void>;
}

function follow<T>(
  options: FollowOptions,
  what: {
    readonly kind: KindName;
    readonly path: string;
    readonly read: (object: Json) => T;
    readonly onChanges: (changes: readonly Change<T>[]) => void;
    readonly onListed?: () => void;
  },
): Followed<T> {
  const { client, clock, random, lookMs, source, onFact, onNews } = options;
  let failures = 0;
  const listWatch = createListWatch<T>({
    client,
    clock,
    random,
    lookMs,
    path: what.path,
    read: what.read,
    listener: {
      onChanges: (changes) => {
        what.onChanges(changes);
        onNews();
      },
      onListed: () => {
        what.onListed?.();
        onNews();
      },
      onTrouble: (trouble) => {
        failures = trouble === undefined ? 0 : failures + 1;
        if (trouble === undefined) {
          onFact({
            kind: "finding-cleared",
            source,
            subject: "source",
            name: findingName(what.kind),
          });
        } else if (failures > 1 || isToldAtOnce(trouble)) {
          const at = { server: client.server, isSynced: listWatch.isSynced() };
          onFact({ kind: "finding", source, finding: troubleFinding(what.kind, trouble, at) });
        }
        onNews();
      },
    },
  });
  return {
    entries: listWatch.entries,
    isSynced: () => listWatch.isSynced(),
    counts: () => listWatch.counts(),
    start: () => listWatch.start(),
    end: async () => {
      await listWatch[Symbol.asyncDispose]();
    },
  };
}

function createBook(
  entries: ReadonlyMap<string, Entry<ServiceReading>>,
  watchers: Set<(namespace: string, name: string) => void>,
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

function isMarked({ finalizers, conditions }: ServiceRecord): boolean {
  return finalizers.includes(FINALIZER) || conditions.length > 0;
}

function nodesIn(entries: ReadonlyMap<string, Entry<ReadObject>>): ReadonlyMap<string, NodeObject> {
  const nodes = new Map<string, NodeObject>();
  for (const { key, value } of entries.values()) {
    if (isUsable(value) && value.kind === "Node") nodes.set(key, value.value);
  }
  return nodes;
}

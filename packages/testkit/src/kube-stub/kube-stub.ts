// A kube-apiserver for tests, over real HTTP and under the test's control: objects in memory,
// lists, watches and writes as kube-apiserver 1.36 does them, and every fault that a real one does
// not have on command. Given the time. It keeps no secret: whatever it was asked can be read.

import { childOf, isJson, type Json, textOf } from "./json-tree.ts";
import { ObjectHistory, type ObjectKey, type StubSnapshot } from "./object-history.ts";
import { type RequestCounts, RequestLog, type StubRequest, type StubWhen } from "./request-log.ts";
import { dispatch } from "./stub-dispatch.ts";
import { type Fault, type FaultOptions, StubFaults } from "./stub-faults.ts";
import { stubKind, type StubResource } from "./stub-kinds.ts";
import { type StubRight, StubRights } from "./stub-rights.ts";
import { StubServer } from "./stub-server.ts";
import { StubWatches } from "./stub-watches.ts";
import { type PutBy, StubWrites } from "./stub-writes.ts";

/** How the stub starts. */
export interface KubeStubOptions {
  /** Whoever asks is known by this name. Default: fairlead. */
  readonly user?: string;
  /** The version of the write before the first. Default: 1000. */
  readonly version?: number;
  /** Epoch ms, for what the stub writes down. Default: the first moment of 2026. */
  readonly wallMs?: () => number;
}

/** How a client reaches the stub, as `createKubeClient` takes it. */
export interface StubAccess {
  readonly server: string;
  requestOptions(): Promise<Readonly<Record<string, never>>>;
}

/** An API server under the test's control. */
export interface KubeStub extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`; it stays the same over `stop` and `start`. */
  readonly server: string;
  /** Without an agent of its own: node's global one is used. */
  readonly access: StubAccess;

  /**
   * Writes an object, new or known, and returns it as it is kept. What the server owns stays as it
   * was, and so do a status, finalizers and managedFields that are left out. Another uid makes it
   * another object. A namespace that is left out is `default`. With `by` it is kept account of who
   * changed which field.
   */
  put(object: object, by?: PutBy): Json;
  /**
   * Deletes an object as kubectl does. One with finalizers is marked and stays until the last is
   * gone. Returns it as it was written last. One that is not there is a bug of the test.
   */
  remove(kind: string, namespace: string, name: string): Json;
  /** The object as it is kept. The namespace of a Node is empty. */
  get(kind: string, namespace: string, name: string): Json | undefined;
  /** The version of the last write of any kind. */
  version(): number;
  /** Something that is not served here was written: versions go on. */
  tick(): void;

  /** All that there is now, for `restore` and the fault `serve-snapshot`. */
  snapshot(): StubSnapshot;
  /** The store was put back: objects and versions are those of then, and watches are cut. */
  restore(snapshot: StubSnapshot): void;
  /** Versions before this one are gone. Default: all but the last. */
  compact(version?: number): void;

  /** How many watches are open. */
  watches(resource?: StubResource): number;
  /** Resolves when so many are open. Default: one. Rejects after 10 s with what was asked. */
  watching(resource: StubResource, count?: number): Promise<void>;
  /** Resolves when none is open. */
  unwatched(resource?: StubResource): Promise<void>;
  /** Tells watches that want bookmarks how far they have seen. */
  bookmark(resource?: StubResource): void;
  /** Ends watches as when their time is over. */
  endWatches(resource?: StubResource): void;
  /** Cuts the connections of watches. Default: between two lines. */
  cutWatches(resource?: StubResource, where?: "between-lines" | "mid-line"): void;
  /** Open watches get nothing more, and nobody ends them. */
  muteWatches(resource?: StubResource): void;

  /** What is asked from now on meets this fault. */
  fault(options: FaultOptions): Fault;
  /** Takes a right from the user. All are there at first. */
  forbid(right: StubRight): void;
  /** Gives it back. */
  allow(right: Pick<StubRight, "verb" | "resource">): void;
  /** Whether the user is known at all; 401 while not. */
  setCredentials(areGood: boolean): void;

  /** What was asked, in order. Default: all. */
  requests(when?: StubWhen): readonly StubRequest[];
  counts(when?: StubWhen): RequestCounts;
  /** Resolves when this was asked so often since the last `forgetRequests`. Default: once. */
  asked(when: StubWhen, times?: number): Promise<void>;
  forgetRequests(): void;
  /** Connections that are open, idle ones too. */
  connections(): number;

  /** Refuses connections and resets those that there are. Objects stay. */
  stop(): Promise<void>;
  /** Listens again, on the same port. As a server that starts, it has no events from before. */
  start(): Promise<void>;
}

const VERSION_DEFAULT = 1000;
const WALL_MS_DEFAULT = Date.UTC(2026, 0, 1);

/** Starts a stub without objects. Disposing ends it and all its connections. */
export async function startKubeStub(options: KubeStubOptions = {}): Promise<KubeStub> {
  const { user = "fairlead", version = VERSION_DEFAULT, wallMs = () => WALL_MS_DEFAULT } = options;
  const history = new ObjectHistory(version, (event) => watches.tell(event));
  const watches = new StubWatches(history);
  const now = (): string => new Date(wallMs()).toISOString().replace(/\.\d+Z$/u, "Z");
  const writes = new StubWrites(history, now);
  const log = new RequestLog();
  const faults = new StubFaults(log);
  const rights = new StubRights(user);
  const parts = { history, writes, watches, log, faults, rights };
  const server = new StubServer((request, response) => void dispatch(parts, request, response));
  await server.start();
  return {
    server: server.url,
    access: { server: server.url, requestOptions: () => Promise.resolve({}) },
    ...objectPart(history, writes),
    ...watchPart(history, watches, log),
    fault: (fault) => faults.add(fault),
    forbid: (right) => rights.forbid(right),
    allow: (right) => rights.allow(right),
    setCredentials: (areGood) => rights.setCredentials(areGood),
    requests: (when) => log.all(when),
    counts: (when) => log.counts(when),
    asked: (when, times = 1) =>
      log.until(() => log.all(when).length >= times, `${times} of ${JSON.stringify(when)}`),
    forgetRequests: () => log.clear(),
    connections: () => server.connections,
    stop: () => server.stop(),
    start: async () => {
      watches.forget();
      await server.start();
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

type ObjectPart = Pick<KubeStub, "put" | "remove" | "get" | "version" | "tick" | "snapshot">;

function objectPart(history: ObjectHistory, writes: StubWrites): ObjectPart {
  return {
    put: (object, by) => {
      if (!isJson(object)) throw new TypeError("an object is no list");
      return writes.put(keyOf(object), object, by);
    },
    remove: (kind, namespace, name) => {
      const { status, body } = writes.delete(keyNamed(kind, namespace, name));
      if (status >= 300) throw new TypeError(textOf(body, "message"));
      return body;
    },
    get: (kind, namespace, name) => history.get(keyNamed(kind, namespace, name)),
    version: () => history.version,
    tick: () => history.tick(),
    snapshot: () => history.snapshot(),
  };
}

type WatchPart = Pick<
  KubeStub,
  | "restore"
  | "compact"
  | "watches"
  | "watching"
  | "unwatched"
  | "bookmark"
  | "endWatches"
  | "cutWatches"
  | "muteWatches"
>;

function watchPart(history: ObjectHistory, watches: StubWatches, log: RequestLog): WatchPart {
  return {
    restore: (snapshot) => {
      watches.cut(undefined, false);
      history.restore(snapshot);
      watches.forget();
    },
    compact: (version = history.version) => history.compact(version),
    watches: (resource) => watches.count(resource),
    watching: (resource, count = 1) =>
      log.until(() => watches.count(resource) >= count, `${count} open watches on ${resource}`),
    unwatched: (resource) =>
      log.until(() => watches.count(resource) === 0, `no open watch on ${resource ?? "anything"}`),
    bookmark: (resource) => watches.bookmark(resource),
    endWatches: (resource) => watches.end(resource),
    cutWatches: (resource, where) => watches.cut(resource, where === "mid-line"),
    muteWatches: (resource) => watches.mute(resource),
  };
}

function keyOf(object: Json): ObjectKey {
  const { namespace = "default", name } = childOf(object, "metadata");
  if (typeof namespace !== "string" || typeof name !== "string") {
    throw new TypeError("an object has a name, and its namespace is text");
  }
  return keyNamed(textOf(object, "kind"), namespace, name);
}

function keyNamed(kindName: string, namespace: string, name: string): ObjectKey {
  const kind = stubKind(kindName);
  return { kind, namespace: kind.isNamespaced ? namespace : undefined, name };
}

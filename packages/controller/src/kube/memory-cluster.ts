// For tests: an API server in memory that behaves, as far as Services and Events are written to it,
// and the book that a watch of it keeps. Versions, uids and refusals are as a kube-apiserver 1.36
// has them; everything takes a moment of the clock.

import { isDeepStrictEqual } from "node:util";

import type { Clock } from "@fairlead/runtime";

import { eventProblem } from "./event-rules.ts";
import type { KubeClient, KubeRequest } from "./kube-client.ts";
import type { KubeError } from "./kube-errors.ts";
import { APPLY, missing, refusal, unreadable, writeTarget } from "./memory-refusals.ts";
import {
  applyTo,
  type MemoryService,
  mergeInto,
  problemOf,
  serviceJson,
  takenBy,
  withOwner,
} from "./memory-service.ts";
import { childOf, copyTexts, isJson, type Json, textOf } from "./object-fields.ts";
import { readServiceRecord } from "./read-record.ts";
import { FINALIZER, type ServiceBook, type ServiceRecord } from "./service-record.ts";

/** What of a Service is said when it is made. */
type Made = Partial<Pick<MemoryService, "type" | "finalizers" | "externalIPs">>;

/** From a request to its answer, in ms. */
const ANSWER_MS = 5;
/** From a change to its showing in the book, in ms. */
const WATCH_MS = 2;
const IDENTITY = ["uid", "resourceVersion"] as const;

/** A write as the server got it, whatever became of it. */
export interface SeenWrite {
  readonly atMs: number;
  readonly method: string;
  /** From the root of the API. */
  readonly path: string;
  readonly body: Json;
}

/** A cluster in memory. Services are named `namespace/name`, or `name` in `default`. */
export class MemoryCluster {
  readonly writes: SeenWrite[] = [];
  /** By `namespace/name`. */
  readonly events: Map<string, Json> = new Map();
  readonly client: KubeClient;
  readonly book: ServiceBook;
  /** Asked before a request is carried out: an error is the answer. */
  fail: (request: KubeRequest) => KubeError | undefined = () => undefined;
  readonly #clock: Clock;
  readonly #services = new Map<string, MemoryService>();
  readonly #shown = new Map<string, ServiceRecord>();
  readonly #watchers = new Set<(namespace: string, name: string) => void>();
  /** What the watch does not show yet; undefined while it shows everything. */
  #held: Set<string> | undefined;
  readonly #ending = new Set<string>();
  #version = 100;
  #uids = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.client = {
      server: "https://cluster.test:6443",
      request: async (request, signal) => {
        await clock.sleep(ANSWER_MS, signal);
        return this.#carryOut(request);
      },
      watch: () => Promise.reject(new Error("nothing is watched here: the book shows it")),
    };
    this.book = {
      get: (namespace, name) => this.#shown.get(`${namespace}/${name}`),
      marked: () => [...this.#shown.values()].filter(isMarked),
      subscribe: (onChange) => {
        this.#watchers.add(onChange);
        return () => void this.#watchers.delete(onChange);
      },
    };
  }

  /** Makes a Service, of type LoadBalancer unless told otherwise; returns its uid. */
  create(title: string, fields: Made = {}): string {
    const key = keyOf(title);
    const [namespace = "", name = ""] = key.split("/");
    this.#uids += 1;
    const uid = `uid-${this.#uids}`;
    const empty = { type: "LoadBalancer", isDeleting: false, ingress: [], conditions: new Map() };
    const external = { externalIPs: [], note: "" };
    const base = { namespace, name, uid, version: 0, finalizers: [], owned: new Map() };
    const bare: MemoryService = { ...base, ...empty, ...external };
    this.#store(key, withOwner(bare, { ...bare, ...fields }, "kubectl-create"));
    return uid;
  }

  /** Changes one by hand. */
  edit(title: string, change: (service: MemoryService) => void, manager = "kubectl-edit"): void {
    const before = this.#services.get(keyOf(title));
    if (before === undefined) throw new Error(`there is no Service ${title}`);
    const after = { ...before };
    change(after);
    const owned = withOwner(before, after, manager);
    if (!isDeepStrictEqual(before, owned)) this.#store(keyOf(title), owned);
  }

  /** Deletes one; finalizers keep it. */
  delete(title: string): void {
    this.edit(title, (service) => {
      service.isDeleting = true;
    });
  }

  /** Deletes a namespace with all in it; Services with finalizers keep it. */
  endNamespace(namespace: string): void {
    this.#ending.add(namespace);
    for (const key of this.#keysIn(namespace)) this.delete(key);
    for (const key of this.events.keys()) {
      if (key.startsWith(`${namespace}/`)) this.events.delete(key);
    }
  }

  /** As the server has it now; undefined: there is none. */
  look(title: string): Json | undefined {
    const service = this.#services.get(keyOf(title));
    return service === undefined ? undefined : serviceJson(service);
  }

  /** The same as the publisher reads it. */
  record(title: string): ServiceRecord | undefined {
    const object = this.look(title);
    return object === undefined ? undefined : readServiceRecord(object);
  }

  /** The watch falls behind: the book shows nothing new. */
  holdWatch(): void {
    this.#held ??= new Set();
  }

  /** The watch shows what it held back. */
  catchUp(): void {
    const held = this.#held ?? new Set();
    this.#held = undefined;
    for (const key of held) this.#show(key);
  }

  #store(key: string, service: MemoryService): MemoryService {
    this.#version += 1;
    const stored = { ...service, version: this.#version };
    if (stored.isDeleting && stored.finalizers.length === 0) this.#services.delete(key);
    else this.#services.set(key, stored);
    if (this.#held !== undefined) this.#held.add(key);
    else this.#clock.setTimer(WATCH_MS, () => this.#show(key));
    return stored;
  }

  #show(key: string): void {
    if (this.#held !== undefined) return void this.#held.add(key);
    const [namespace = "", name = ""] = key.split("/");
    const record = this.record(key);
    if (record === undefined) this.#shown.delete(key);
    else this.#shown.set(key, record);
    for (const tell of this.#watchers) tell(namespace, name);
  }

  #carryOut(request: KubeRequest): Json {
    const { method, path } = request;
    const body = isJson(request.body) ? request.body : {};
    this.writes.push({ atMs: this.#clock.nowMs(), method, path, body });
    const failure = this.fail(request);
    if (failure !== undefined) throw failure;
    const wrong = unreadable(request);
    if (wrong !== undefined) throw wrong;
    const { namespace, kind, name = "", part = "" } = writeTarget(path);
    const key = `${namespace}/${name}`;
    if (kind === "services") return this.#patch(request, { key, part, body });
    return this.#writeEvent(request, { namespace, name, body });
  }

  #patch(
    request: KubeRequest,
    { key, part, body }: { readonly key: string; readonly part: string; readonly body: Json },
  ): Json {
    const before = this.#services.get(key);
    const isApply = request.contentType === APPLY;
    const { uid, resourceVersion } = copyTexts(childOf(body, "metadata"), IDENTITY);
    if (before === undefined) throw isApply ? missing(request, uid) : refusal(request, 404, "gone");
    if (resourceVersion !== undefined && resourceVersion !== String(before.version)) {
      throw refusal(request, 409, "the object has been modified");
    }
    if (uid !== undefined && uid !== before.uid) {
      throw refusal(request, 422, "metadata.uid: field is immutable");
    }
    const { fieldManager: manager = "", force } = request.query ?? {};
    const apply = { body, manager, part };
    const taken = isApply && force !== "true" ? takenBy(before, apply) : undefined;
    if (taken !== undefined) throw refusal(request, 409, `Apply failed with 1 conflict: ${taken}`);
    const after = isApply ? applyTo(before, apply) : mergeInto(before, body, manager);
    const problem = problemOf(before, after);
    if (problem !== undefined) throw refusal(request, 422, problem);
    if (isDeepStrictEqual(before, after)) return serviceJson(before);
    const stored = this.#store(key, after);
    // An object that goes with its last finalizer is answered with its version from before.
    return serviceJson(this.#services.has(key) ? stored : after);
  }

  /** What Events are told in a namespace that is being deleted, or was. */
  #refusedIn(request: KubeRequest, namespace: string): KubeError {
    if (this.#keysIn(namespace).length === 0) {
      return refusal(request, 404, `namespaces "${namespace}" not found`);
    }
    const why = `in namespace ${namespace} because it is being terminated`;
    return refusal(request, 403, `is forbidden: unable to create new content ${why}`);
  }

  #keysIn(namespace: string): readonly string[] {
    return [...this.#services.keys()].filter((key) => key.startsWith(`${namespace}/`));
  }

  #writeEvent(
    request: KubeRequest,
    at: { readonly namespace: string; readonly name: string; readonly body: Json },
  ): Json {
    const { namespace, body } = at;
    const isNew = request.method === "POST";
    if (isNew && this.#ending.has(namespace)) throw this.#refusedIn(request, namespace);
    const name = isNew ? textOf(childOf(body, "metadata"), "name") : at.name;
    const key = `${namespace}/${name}`;
    const before = this.events.get(key);
    if (isNew !== (before === undefined)) {
      const because = isNew ? "already exists" : "not found";
      throw refusal(request, isNew ? 409 : 404, `events "${name}" ${because}`);
    }
    const after = { ...before, ...body };
    const problem = eventProblem(before, after);
    if (problem !== undefined) {
      throw refusal(request, 422, `${problem.field}: ${problem.because}`);
    }
    this.events.set(key, after);
    return after;
  }
}

function keyOf(title: string): string {
  return title.includes("/") ? title : `default/${title}`;
}

function isMarked({ finalizers, conditions, writtenExternalIPs }: ServiceRecord): boolean {
  const isNoted = writtenExternalIPs !== undefined;
  return finalizers.includes(FINALIZER) || conditions.length > 0 || isNoted;
}

// For tests: AddressPools as an API server has them, behind a client of which a test says how it
// answers. Lists, watches and status writes behave as there; nothing else is asked of it.

import { setImmediate } from "node:timers/promises";

import type { KubeClient, KubeRequest, Watcher } from "./kube-client.ts";
import { KubeError, type KubeErrorCode } from "./kube-errors.ts";
import { childOf, isJson, type Json, textOf } from "./object-fields.ts";
import { POOLS_PATH } from "./pool-record.ts";

interface Failure {
  readonly code: KubeErrorCode;
  readonly message: string;
}

/** A cluster that has pools, or does not even know them. */
export class MemoryPools implements KubeClient {
  readonly server = "https://memory";
  readonly #pools = new Map<string, Json>();
  readonly #watchers = new Set<Watcher>();
  #version = 100;
  /** How every request fails; undefined: it does not. */
  failure: Failure | undefined;
  /** How writes to a pool fail, by its name. */
  readonly failures: Map<string, Failure> = new Map();
  /** Writes are answered after this; undefined: at once. */
  answer: Promise<void> | undefined;
  /** Requests in their order: `LIST`, `WATCH`, `PATCH lan`. */
  readonly asked: string[] = [];

  /** Makes a pool or changes its spec, and gives its uid. */
  put(name: string, spec: object, metadata: object = {}): void {
    const known = this.#pools.get(name);
    const generation = Number(childOf(known ?? {}, "metadata")["generation"] ?? 0) + 1;
    const uid = `uid-${name}`;
    const creationTimestamp = "2026-01-01T00:00:00Z";
    const made = { name, uid, creationTimestamp, generation, ...metadata };
    this.#keep(name, { ...known, metadata: made, spec });
  }

  remove(name: string): void {
    const known = this.#pools.get(name);
    if (known === undefined) throw new TypeError(`there is no pool ${name}`);
    this.#pools.delete(name);
    this.#tell("DELETED", this.#versioned(known));
  }

  status(name: string): Json {
    return childOf(this.#pools.get(name) ?? {}, "status");
  }

  async request(request: KubeRequest, signal?: AbortSignal): Promise<unknown> {
    const isList = request.method === "GET";
    const name = request.path.slice(POOLS_PATH.length + 1).replace("/status", "");
    this.asked.push(isList ? "LIST" : `${request.method} ${name}`);
    await setImmediate();
    if (!isList) await this.#answered(signal);
    this.#mayFail(isList ? undefined : this.failures.get(name));
    if (isList) {
      const metadata = { resourceVersion: String(this.#version) };
      return { kind: "AddressPoolList", metadata, items: [...this.#pools.values()] };
    }
    const known = this.#pools.get(name);
    const body = isJson(request.body) ? request.body : {};
    const asked = childOf(body, "metadata");
    if (known === undefined) throw failed("NOT_FOUND", "it is gone");
    const { uid, resourceVersion } = childOf(known, "metadata");
    if (uid !== asked["uid"] || resourceVersion !== asked["resourceVersion"]) {
      throw failed("CONFLICT", "the object has been modified");
    }
    return this.#keep(name, { ...known, status: body["status"] });
  }

  async watch(_request: KubeRequest, watcher: Watcher): Promise<void> {
    this.asked.push("WATCH");
    await setImmediate();
    this.#mayFail();
    watcher.onOpen();
    this.#watchers.add(watcher);
    const { promise, reject } = Promise.withResolvers<never>();
    watcher.signal.addEventListener("abort", () => reject(watcher.signal.reason as Error));
    try {
      await promise;
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  async #answered(signal: AbortSignal | undefined): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    signal?.addEventListener("abort", () => reject(signal.reason as Error));
    await Promise.race([this.answer, promise]);
  }

  #mayFail(failure = this.failure): void {
    if (failure !== undefined) throw failed(failure.code, failure.message);
  }

  #keep(name: string, object: Json): Json {
    const isNew = !this.#pools.has(name);
    const kept = this.#versioned(object);
    this.#pools.set(name, kept);
    this.#tell(isNew ? "ADDED" : "MODIFIED", kept);
    return kept;
  }

  #versioned(object: Json): Json {
    this.#version += 1;
    const metadata = { ...childOf(object, "metadata"), resourceVersion: String(this.#version) };
    return { ...object, metadata };
  }

  #tell(type: string, object: Json): void {
    for (const watcher of this.#watchers) watcher.onLine({ type, object });
  }
}

function failed(code: KubeErrorCode, message: string): KubeError {
  return new KubeError({ code, message });
}

/** The condition of that type in a status, in one line; empty when there is none. */
export function conditionLine(status: Json, type: string): string {
  const conditions = status["conditions"];
  const all = Array.isArray(conditions) ? conditions.filter(isJson) : [];
  const found = all.find((one) => textOf(one, "type") === type);
  if (found === undefined) return "";
  return ["status", "reason", "message"].map((field) => textOf(found, field)).join(" ");
}

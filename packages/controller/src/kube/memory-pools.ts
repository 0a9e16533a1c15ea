// For tests: AddressPools as an API server has them, behind a client of which a test says how it
// answers. Lists, watches and status writes behave as there; nothing else is asked of it.

import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import type { KubeClient, KubeRequest, Watcher } from "./kube-client.ts";
import { KubeError, type KubeErrorCode } from "./kube-errors.ts";
import { applyFields, type Fields, type OwnedFields, ownersAfter } from "./memory-fields.ts";
import { childOf, isJson, type Json, listOf, textOf } from "./object-fields.ts";
import { POOLS_PATH } from "./pool-record.ts";

interface Failure {
  readonly code: KubeErrorCode;
  readonly message: string;
}

/** What an API server says to one who may not write the status of `lan`. */
export const NO_RIGHT_TO_LAN: Failure = {
  code: "FORBIDDEN",
  message:
    'addresspools.fairlead.io "lan" is forbidden: User "fairlead" cannot patch resource ' +
    '"addresspools/status" in API group "fairlead.io" at the cluster scope',
};

/** When the cluster was made; each pool is made a second after the one before, in ms. */
const FIRST_MS = Date.UTC(2026, 0, 1);

const NOTHING: OwnedFields = { fields: new Map(), owned: new Map() };

/** A cluster that has pools, or does not even know them. */
export class MemoryPools implements KubeClient {
  readonly server = "https://memory";
  readonly #pools = new Map<string, Json>();
  /** What each status says and who says it, by the pool's name. */
  readonly #said = new Map<string, OwnedFields>();
  readonly #watchers = new Set<Watcher>();
  #version = 100;
  #uids = 0;
  /** How every request fails; undefined: it does not. */
  failure: Failure | undefined;
  /** How writes to a pool fail, by its name. */
  readonly failures: Map<string, Failure> = new Map();
  /** Writes are answered after this; undefined: at once. */
  answer: Promise<void> | undefined;
  /** Requests in their order: `LIST`, `WATCH`, `PATCH lan`. */
  readonly asked: string[] = [];

  /** Makes a pool or changes it. */
  put(name: string, spec: object, metadata: object = {}): void {
    const known = this.#pools.get(name);
    if (known === undefined) this.#uids += 1;
    const before = childOf(known ?? {}, "metadata");
    const isOther = !isDeepStrictEqual(known?.["spec"], spec);
    const generation = Number(before["generation"] ?? 0) + (isOther ? 1 : 0);
    const { uid = `uid-${this.#uids}`, creationTimestamp = timeOf(this.#uids) } = before;
    const made = { ...before, name, uid, creationTimestamp, generation, ...metadata };
    this.#keep(name, { ...known, metadata: made, spec });
  }

  remove(name: string): void {
    const known = this.#pools.get(name);
    if (known === undefined) throw new TypeError(`there is no pool ${name}`);
    this.#pools.delete(name);
    this.#said.delete(name);
    this.#tell("DELETED", this.#versioned(known));
  }

  /** A hand says something in a status that nobody says yet, or overwrites it. */
  say(name: string, said: Json): void {
    const before = this.#said.get(name) ?? NOTHING;
    const fields = new Map([...before.fields, ...statusFields(said)]);
    this.#sayAll(name, { fields, owned: ownersAfter(before, fields, "kubectl-edit") });
  }

  /** A pool as the server has it; undefined: there is none. */
  look(name: string): Json | undefined {
    return this.#pools.get(name);
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
    return this.#apply(name, request);
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

  #apply(name: string, { body, query }: KubeRequest): Json {
    const known = this.#pools.get(name);
    const asked = childOf(isJson(body) ? body : {}, "metadata");
    if (known === undefined) throw failed("NOT_FOUND", `addresspools "${name}" not found`);
    // The uid is not looked at: it is no part of a status.
    const { resourceVersion } = childOf(known, "metadata");
    if (resourceVersion !== (asked["resourceVersion"] ?? resourceVersion)) {
      throw failed("CONFLICT", "the object has been modified");
    }
    const wanted = statusFields(childOf(isJson(body) ? body : {}, "status"));
    const manager = query?.["fieldManager"] ?? "";
    return this.#sayAll(name, applyFields(this.#said.get(name) ?? NOTHING, wanted, manager));
  }

  #sayAll(name: string, said: OwnedFields): Json {
    this.#said.set(name, said);
    return this.#keep(name, { ...this.#pools.get(name), status: statusOf(said.fields) });
  }

  #keep(name: string, object: Json): Json {
    const before = this.#pools.get(name);
    if (before !== undefined && isDeepStrictEqual(before, object)) return before;
    const isNew = before === undefined;
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

/** As API servers write times: in whole seconds. */
function timeOf(pool: number): string {
  return `${new Date(FIRST_MS + pool * 1000).toISOString().slice(0, 19)}Z`;
}

function failed(code: KubeErrorCode, message: string): KubeError {
  return new KubeError({ code, message });
}

function statusFields(status: Json): Fields {
  const { usage, conditions: _, ...rest } = status;
  const families = Object.entries(isJson(usage) ? usage : {});
  const conditions = listOf(status, "conditions").filter(isJson);
  return new Map<string, unknown>([
    ...Object.entries(rest),
    ...families.map(([family, use]) => [`usage ${family}`, use] as const),
    ...conditions.map((one) => [`condition ${textOf(one, "type")}`, one] as const),
  ]);
}

function statusOf(fields: Fields): Json {
  const of = (kind: string): readonly (readonly [string, unknown])[] =>
    [...fields]
      .filter(([field]) => field.startsWith(`${kind} `))
      .map(([field, value]) => [field.slice(kind.length + 1), value]);
  const rest = [...fields].filter(([field]) => !field.includes(" "));
  const [usage, conditions] = [of("usage"), of("condition").map(([, one]) => one)];
  return {
    ...Object.fromEntries(rest),
    ...(usage.length > 0 ? { usage: Object.fromEntries(usage) } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
}

/** The condition of that type in a status, in one line; empty when there is none. */
export function conditionLine(status: Json, type: string): string {
  const conditions = status["conditions"];
  const all = Array.isArray(conditions) ? conditions.filter(isJson) : [];
  const found = all.find((one) => textOf(one, "type") === type);
  if (found === undefined) return "";
  return ["status", "reason", "message"].map((field) => textOf(found, field)).join(" ");
}

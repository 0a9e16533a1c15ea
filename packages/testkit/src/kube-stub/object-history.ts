// The objects of the stub with all their versions since the last compaction, on one counter. Given
// objects that are ready to be kept; it judges nothing. What was handed out is never changed.

import { childOf, type Json, textOf } from "./json-tree.ts";
import type { StubKind } from "./stub-kinds.ts";

/** A change as a watch shows it. */
export interface HistoryEvent {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly kind: StubKind;
  /** Undefined for kinds without. */
  readonly namespace: string | undefined;
  readonly object: Json;
}

/** All objects as they were at one moment. */
export interface StubSnapshot {
  readonly version: number;
  readonly objects: ReadonlyMap<string, Json>;
}

/** Which objects of a kind. */
export interface Scope {
  readonly kind: StubKind;
  /** Undefined: all. */
  readonly namespace?: string | undefined;
}

/** Where an object stands. */
export interface ObjectKey extends Scope {
  readonly name: string;
}

/** Objects and what happened to them. */
export class ObjectHistory {
  #version: number;
  /** What is older cannot be listed or watched any more. */
  #compacted = 0;
  #start: StubSnapshot;
  #objects = new Map<string, Json>();
  #events: HistoryEvent[] = [];
  readonly #onEvent: (event: HistoryEvent) => void;

  constructor(version: number, onEvent: (event: HistoryEvent) => void) {
    this.#version = version;
    this.#start = { version, objects: new Map() };
    this.#onEvent = onEvent;
  }

  /** The version of the last write, of whatever kind. */
  get version(): number {
    return this.#version;
  }

  get compacted(): number {
    return this.#compacted;
  }

  get(key: ObjectKey): Json | undefined {
    return this.#objects.get(keyText(key));
  }

  /** Keeps an object that is new, or another version of itself, and returns it with its version. */
  write(key: ObjectKey, object: Json): Json {
    const before = this.get(key);
    const stored = this.#next(object);
    this.#objects.set(keyText(key), stored);
    this.#say(key, before === undefined ? "ADDED" : "MODIFIED", stored);
    return stored;
  }

  /** Removes an object, and returns it as the event has it: with the version of its removal. */
  erase(key: ObjectKey, object: Json): Json {
    const last = this.#next(object);
    this.#objects.delete(keyText(key));
    this.#say(key, "DELETED", last);
    return last;
  }

  /** Something else in the cluster was written: the counter goes on. */
  tick(): void {
    this.#version += 1;
  }

  /** The objects in the order of etcd's keys, as they are now or were at a version. */
  list(scope: Scope, version: number = this.#version): readonly Json[] {
    const objects = version >= this.#version ? this.#objects : this.#objectsAt(version);
    return listed(objects, scope);
  }

  /** What happened after a version, oldest first. */
  eventsAfter(scope: Scope, version: number): readonly HistoryEvent[] {
    return this.#events.filter((event) => event.version > version && isIn(event, scope));
  }

  /** Forgets the versions before this one. */
  compact(version: number): void {
    const objects = this.#objectsAt(version);
    this.#start = { version, objects };
    this.#events = this.#events.filter((event) => event.version > version);
    this.#compacted = version;
  }

  snapshot(): StubSnapshot {
    return { version: this.#version, objects: new Map(this.#objects) };
  }

  /** All is as it was, the counter too. */
  restore(snapshot: StubSnapshot): void {
    this.#version = snapshot.version;
    this.#objects = new Map(snapshot.objects);
    this.#start = snapshot;
    this.#events = [];
    this.#compacted = snapshot.version;
  }

  #objectsAt(version: number): ReadonlyMap<string, Json> {
    const objects = new Map(this.#start.objects);
    for (const event of this.#events) {
      if (event.version > version) break;
      const { name } = event.object["metadata"] as { readonly name: string };
      const key = keyText({ ...event, name });
      if (event.type === "DELETED") objects.delete(key);
      else objects.set(key, event.object);
    }
    return objects;
  }

  #next(object: Json): Json {
    this.#version += 1;
    const metadata = { ...childOf(object, "metadata"), resourceVersion: String(this.#version) };
    return deepFreeze({ ...object, metadata });
  }

  #say({ kind, namespace }: ObjectKey, type: HistoryEvent["type"], object: Json): void {
    const event = { version: this.#version, type, kind, namespace, object };
    this.#events.push(event);
    this.#onEvent(event);
  }
}

/** Of all objects those of the scope, in the order of etcd's keys. */
export function listed(objects: ReadonlyMap<string, Json>, scope: Scope): readonly Json[] {
  const prefix = keyText({ ...scope, name: "" });
  const start = scope.namespace === undefined ? `${scope.kind.resource}/` : prefix;
  return [...objects]
    .filter(([key]) => key.startsWith(start))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, object]) => object);
}

/** `NAMESPACE/NAME`, or the name alone: the place of an object within its kind. */
export function placeOf(object: Json): string {
  const metadata = childOf(object, "metadata");
  const namespace = textOf(metadata, "namespace");
  const name = textOf(metadata, "name");
  return namespace === "" ? name : `${namespace}/${name}`;
}

function isIn(event: HistoryEvent, { kind, namespace }: Scope): boolean {
  return event.kind === kind && (namespace === undefined || event.namespace === namespace);
}

function keyText({ kind, namespace, name }: ObjectKey): string {
  return [kind.resource, ...(namespace === undefined ? [] : [namespace]), name].join("/");
}

/** Answers are made of what is kept: a test that changed it would change the past. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const each of Object.values(value)) deepFreeze(each);
  return value;
}

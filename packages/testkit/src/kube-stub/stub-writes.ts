// Writes to the objects of the stub, as an API server takes them: what has to hold before, what is
// kept account of, what is filled in, and when nothing is written at all. Given the history and
// the time; answers are values.

import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

import {
  childOf,
  defined,
  isJson,
  type Json,
  listOf,
  mergePatch,
  omit,
  textOf,
} from "./json-tree.ts";
import { applyFields, trackUpdate, type Writer } from "./managed-fields.ts";
import type { ObjectHistory, ObjectKey } from "./object-history.ts";
import { objection, withDefaults } from "./service-rules.ts";
import {
  alreadyExists,
  applyConflict,
  conflict,
  invalid,
  notFound,
  type StubAnswer,
} from "./status-answers.ts";

/** One write to one object. */
export interface StubWrite {
  readonly key: ObjectKey;
  readonly subresource: "status" | undefined;
  readonly body: Json;
  /** Undefined: none was given. */
  readonly manager: string | undefined;
  readonly isForced: boolean;
}

/** Who put an object. */
export interface PutBy {
  readonly manager: string;
  readonly subresource?: "status";
}

/** Writes to one history. */
export class StubWrites {
  readonly #history: ObjectHistory;
  readonly #now: () => string;

  /** `now` is RFC 3339, to the second. */
  constructor(history: ObjectHistory, now: () => string) {
    this.#history = history;
    this.#now = now;
  }

  create(write: StubWrite): StubAnswer {
    const { kind, name } = write.key;
    if (this.#history.get(write.key) !== undefined) return alreadyExists(kind, name);
    const made = this.#made(write.key, write.body);
    return this.#keep(write, made, trackUpdate({}, made, this.#writer(write, "Update")));
  }

  mergePatch(write: StubWrite): StubAnswer {
    const { key, body } = write;
    const before = this.#history.get(key);
    if (before === undefined) return notFound(key.kind, key.name);
    const refused = refusal(key, before, body);
    if (refused !== undefined) return refused;
    const merged = mergePatch(before, touched(write));
    const after = isJson(merged) ? merged : {};
    return this.#keep(write, before, trackUpdate(before, after, this.#writer(write, "Update")));
  }

  /** Writes the object whole, over the version that it names. */
  replace(write: StubWrite): StubAnswer {
    const { key, body } = write;
    const before = this.#history.get(key);
    if (before === undefined) return notFound(key.kind, key.name);
    const refused = refusal(key, before, body);
    if (refused !== undefined) return refused;
    const metadata = { ...childOf(before, "metadata"), ...childOf(body, "metadata") };
    const after = { ...body, metadata: omit(metadata, "resourceVersion") };
    return this.#keep(write, before, trackUpdate(before, after, this.#writer(write, "Update")));
  }

  /** Server-side apply: it makes what is not there, unless a uid says what should be. */
  apply(write: StubWrite): StubAnswer {
    const { key, body, isForced } = write;
    if (write.manager === undefined) {
      const because = "Required value: is required for apply patch";
      return invalid("PatchOptions.meta.k8s.io", "", "fieldManager", because);
    }
    const before = this.#history.get(key);
    const uid = textOf(childOf(body, "metadata"), "uid");
    if (before === undefined && uid !== "") {
      const because = `the provided object specified uid ${uid}, and no existing object was found`;
      return conflict(key.kind, key.name, `uid mismatch: ${because}`);
    }
    const refused = before === undefined ? undefined : refusal(key, before, body);
    if (refused !== undefined) return refused;
    const live = before ?? this.#made(key, {});
    const applied = applyFields(live, touched(write), this.#writer(write, "Apply"), isForced);
    if ("conflicts" in applied) return applyConflict(applied.conflicts);
    return this.#keep(write, before ?? live, applied.object);
  }

  /** Marks an object that has finalizers, and removes one that has none. */
  delete(key: ObjectKey, options: Json = {}): StubAnswer {
    const before = this.#history.get(key);
    if (before === undefined) return notFound(key.kind, key.name);
    const wanted = { metadata: childOf(options, "preconditions") };
    const refused = refusal(key, before, wanted);
    if (refused !== undefined) return refused;
    const metadata = childOf(before, "metadata");
    if (listOf(metadata, "finalizers").length === 0) {
      return { status: 200, body: this.#history.erase(key, before) };
    }
    if (metadata["deletionTimestamp"] !== undefined) return { status: 200, body: before };
    const marked = { ...metadata, deletionTimestamp: this.#now(), deletionGracePeriodSeconds: 0 };
    return { status: 200, body: this.#history.write(key, { ...before, metadata: marked }) };
  }

  /**
   * Somebody writes the object so: what the server owns stays, and so does a status, the finalizers
   * and the account of fields that the object leaves out. Another uid is another object. With a
   * writer it is kept account of who changed what.
   */
  put(key: ObjectKey, object: Json, by?: PutBy): Json {
    const given = childOf(object, "metadata");
    const known = this.#history.get(key);
    const isOther = known !== undefined && (given["uid"] ?? uidOf(known)) !== uidOf(known);
    if (isOther) this.#history.erase(key, known);
    const before = isOther ? undefined : known;
    const base = before ?? this.#made(key, object);
    const owned = childOf(base, "metadata");
    const { resourceVersion } = owned;
    const metadata = { ...omit(owned, "labels", "annotations"), ...given, resourceVersion };
    const { status } = base;
    const { kind, apiVersion } = key.kind;
    const put = defined({ status, ...object, kind, apiVersion, metadata: defined(metadata) });
    const subresource = by?.subresource;
    const write = { key, body: object, subresource, manager: by?.manager, isForced: false };
    const after = by === undefined ? put : trackUpdate(base, put, this.#writer(write, "Update"));
    const answer = this.#keep(write, base, after);
    if (answer.status >= 300) throw new TypeError(textOf(answer.body, "message"));
    return answer.body;
  }

  #writer(write: StubWrite, operation: Writer["operation"]): Writer {
    const { manager = "unknown", subresource = "" } = write;
    return { manager, operation, subresource, time: this.#now() };
  }

  /** A new object with what the server gives it. */
  #made({ kind, namespace, name }: ObjectKey, object: Json): Json {
    const metadata = {
      ...omit(childOf(object, "metadata"), "resourceVersion", "managedFields"),
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: textOf(childOf(object, "metadata"), "uid") || randomUUID(),
      creationTimestamp: this.#now(),
      ...(kind.hasGeneration ? { generation: 1 } : {}),
    };
    return { ...object, kind: kind.kind, apiVersion: kind.apiVersion, metadata };
  }

  #keep({ key }: StubWrite, before: Json, written: Json): StubAnswer {
    const { kind } = key;
    const known = this.#history.get(key);
    const after = tidy(withDefaults(kind, known, written));
    const refused = objection(kind, known, after);
    if (refused !== undefined) return refused;
    if (known !== undefined && isSame(after, known)) return { status: 200, body: known };
    const metadata = childOf(after, "metadata");
    const isDeleting = metadata["deletionTimestamp"] !== undefined;
    if (isDeleting && listOf(metadata, "finalizers").length === 0) {
      this.#history.erase(key, before);
      // As the server answers: what was written last, of the version before.
      return { status: 200, body: after };
    }
    const isNewGeneration = kind.hasGeneration && known !== undefined && differs(known, after);
    const stored = isNewGeneration ? nextGeneration(after) : after;
    const status = known === undefined ? 201 : 200;
    return { status, body: this.#history.write(key, stored) };
  }
}

/** What the precondition of a write says against it. */
function refusal(key: ObjectKey, before: Json, body: Json): StubAnswer | undefined {
  const asked = childOf(body, "metadata");
  const version = textOf(asked, "resourceVersion");
  const { resourceVersion } = childOf(before, "metadata");
  if (version !== "" && version !== resourceVersion) return conflict(key.kind, key.name);
  const uid = textOf(asked, "uid");
  if (uid === "" || uid === uidOf(before)) return undefined;
  // Not 409: to the server it is somebody who wants to give the object another uid.
  const because = `Invalid value: "${uid}": field is immutable`;
  return invalid(key.kind.kind, key.name, "metadata.uid", because);
}

/** Of a body what its path lets through: the status alone, or all but the status. */
function touched({ key, subresource, body }: StubWrite): Json {
  if (key.kind.kind !== "Service") return body;
  return omit(body, subresource === "status" ? "spec" : "status");
}

function uidOf(object: Json): string {
  return textOf(childOf(object, "metadata"), "uid");
}

/** Without fields that the server leaves out when they are empty. */
function tidy(object: Json): Json {
  const metadata = Object.entries(childOf(object, "metadata")).filter(
    ([, value]) => !(Array.isArray(value) && value.length === 0),
  );
  return { ...object, metadata: Object.fromEntries(metadata) };
}

/** Whether nothing differs but when somebody wrote the same. */
function isSame(a: Json, b: Json): boolean {
  return isDeepStrictEqual(withoutTimes(a), withoutTimes(b));
}

function withoutTimes(object: Json): Json {
  const metadata = childOf(object, "metadata");
  const managedFields = listOf(metadata, "managedFields").filter(isJson);
  return {
    ...object,
    metadata: { ...metadata, managedFields: managedFields.map((entry) => omit(entry, "time")) },
  };
}

/** Whether more than metadata and status differs. */
function differs(a: Json, b: Json): boolean {
  return !isDeepStrictEqual(omit(a, "metadata", "status"), omit(b, "metadata", "status"));
}

function nextGeneration(object: Json): Json {
  const metadata = childOf(object, "metadata");
  return { ...object, metadata: { ...metadata, generation: Number(metadata["generation"]) + 1 } };
}

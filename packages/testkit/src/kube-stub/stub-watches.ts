// The open watches of the stub: each gets what happened after the version that it asked for, then
// what happens. Given lines to write to; it knows nothing of HTTP.

import { childOf, type Json } from "./json-tree.ts";
import type { HistoryEvent, ObjectHistory, Scope } from "./object-history.ts";
import { watchExpired } from "./status-answers.ts";
import type { StubKind, StubResource } from "./stub-kinds.ts";

/** What is asked of a watch. */
export interface WatchQuery {
  readonly scope: Scope;
  /** Undefined or 0: from now on, after all that there is. */
  readonly version: number | undefined;
  readonly wantsBookmarks: boolean;
  /** Names, uids and versions alone are wanted. */
  readonly namesOnly: boolean;
}

/** Where the lines of a watch go. */
export interface WatchSink {
  /** One line, without its end. */
  line(text: string): void;
  end(): void;
  /** Ends the connection between two lines, or in the middle of one. */
  cut(isMidLine: boolean): void;
}

/** A watch that is open. */
export interface OpenWatch {
  readonly query: WatchQuery;
  /** Its sink is gone. */
  close(): void;
}

interface Watch extends OpenWatch {
  readonly sink: WatchSink;
  /** The version that it has seen. */
  version: number;
}

/** All watches of one history. */
export class StubWatches {
  readonly #history: ObjectHistory;
  readonly #open = new Set<Watch>();
  /** Watches from before it cannot be had: a server that starts knows no past. */
  #oldest = 0;

  constructor(history: ObjectHistory) {
    this.#history = history;
  }

  /** Opens one. A version that is too old ends it at once, in a line. */
  open(query: WatchQuery, sink: WatchSink): OpenWatch {
    const { version = 0, scope } = query;
    const watch: Watch = {
      query,
      sink,
      version: version === 0 ? this.#history.version : version,
      close: () => void this.#open.delete(watch),
    };
    const oldest = Math.max(this.#oldest, this.#history.compacted);
    if (version === 0) {
      for (const object of this.#history.list(scope)) say(watch, "ADDED", object);
    } else if (version < oldest) {
      sink.line(errorLine(watchExpired(version, oldest)));
      sink.end();
      return watch;
    } else {
      for (const event of this.#history.eventsAfter(scope, version)) show(watch, event);
    }
    this.#open.add(watch);
    return watch;
  }

  /** Shows a change to all that watch it. */
  tell(event: HistoryEvent): void {
    for (const watch of this.#open) show(watch, event);
  }

  /** Says to those who want bookmarks how far they have seen. */
  bookmark(resource?: StubResource): void {
    const { version } = this.#history;
    for (const watch of this.#of(resource)) {
      const { query } = watch;
      // One from the future is told nothing before that has come.
      if (!query.wantsBookmarks || version < watch.version) continue;
      watch.version = version;
      watch.sink.line(bookmarkLine(query.scope.kind, version));
    }
  }

  /** Ends them as a server does when their time is over. */
  end(resource?: StubResource): void {
    for (const watch of this.#of(resource)) {
      this.#open.delete(watch);
      watch.sink.end();
    }
  }

  /** Ends the connections of them, between two lines or in the middle of one. */
  cut(resource: StubResource | undefined, isMidLine: boolean): void {
    for (const watch of this.#of(resource)) {
      this.#open.delete(watch);
      watch.sink.cut(isMidLine);
    }
  }

  /** Says nothing more to them, as when a network drops all packets without a word. */
  mute(resource?: StubResource): void {
    for (const watch of this.#of(resource)) this.#open.delete(watch);
  }

  count(resource?: StubResource): number {
    return [...this.#of(resource)].length;
  }

  /** The server has started anew, and keeps no events from before. */
  forget(): void {
    this.#oldest = this.#history.version;
  }

  *#of(resource: StubResource | undefined): Generator<Watch> {
    for (const watch of this.#open) {
      if (resource === undefined || watch.query.scope.kind.resource === resource) yield watch;
    }
  }
}

function show(watch: Watch, event: HistoryEvent): void {
  const { scope } = watch.query;
  const isInScope =
    event.kind === scope.kind &&
    (scope.namespace === undefined || event.namespace === scope.namespace);
  if (!isInScope || event.version <= watch.version) return;
  watch.version = event.version;
  say(watch, event.type, event.object);
}

function say({ query, sink }: Watch, type: string, object: Json): void {
  const partial = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" };
  const shown = query.namesOnly ? { ...partial, metadata: childOf(object, "metadata") } : object;
  sink.line(JSON.stringify({ type, object: shown }));
}

/** The line of an ERROR event. */
export function errorLine(status: Json): string {
  return JSON.stringify({ type: "ERROR", object: status });
}

function bookmarkLine({ kind, apiVersion }: StubKind, version: number): string {
  const metadata = { resourceVersion: String(version) };
  return JSON.stringify({ type: "BOOKMARK", object: { kind, apiVersion, metadata } });
}

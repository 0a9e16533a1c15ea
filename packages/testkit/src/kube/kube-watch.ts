// A watch of a kind: every change with the time at which it was heard, and waiting for one. Given
// the connection and the path. When the server ends the watch it is opened again, from the start,
// so that objects may be told as added twice; a deletion meanwhile is not told at all.

import { setTimeout as wait } from "node:timers/promises";

import { type ApiConnection, type ApiStream } from "@fairlead/lab";
import { createSystemClock, withDeadline } from "@fairlead/runtime";

import type { KubeObject } from "./kube-resource.ts";

/** One change. */
export interface KubeEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: KubeObject;
  /** When it was heard, on the clock of `monotonicMs`. */
  readonly atMs: number;
}

/** A watch that is open. */
export interface KubeWatch extends Disposable {
  /** All changes so far. */
  events(): readonly KubeEvent[];
  /** Waits until `look` finds something in the changes so far, and gives that. */
  until<T>(
    what: string,
    look: (events: readonly KubeEvent[]) => T | undefined,
    ms?: number,
  ): Promise<T>;
}

const UNTIL_MS_DEFAULT = 15_000;
/** After a server that is gone, as fast as it makes sense to ask again. */
const AGAIN_AFTER_MS = 50;
const SEEN_CHARACTERS_MAX = 2_000;

/** Opens a watch. Rejects when it cannot be opened now. */
export async function openWatch(connection: ApiConnection, path: string): Promise<KubeWatch> {
  const events: KubeEvent[] = [];
  const watchers = new Set<() => void>();
  const onLine = (line: string, atMs: number): void => {
    const said = JSON.parse(line) as { readonly type: string; readonly object: KubeObject };
    if (!isChange(said.type)) return;
    events.push({ type: said.type, object: said.object, atMs });
    for (const watcher of watchers) watcher();
  };
  let isOver = false;
  let stream: ApiStream = await open(connection, path, onLine);
  const keepOpen = async (): Promise<void> => {
    while (!isOver) {
      await stream.ended;
      if (isOver) break;
      const ended = stream;
      stream = await open(connection, path, onLine).catch(async () => {
        // A watch that somebody forgot must not keep the process.
        await wait(AGAIN_AFTER_MS, undefined, { ref: false });
        return ended;
      });
    }
    stream[Symbol.dispose]();
  };
  void keepOpen();
  return {
    events: () => events,
    until: (what, look, ms) => untilFound({ watchers, events, what, ms }, look),
    [Symbol.dispose]: () => {
      isOver = true;
      stream[Symbol.dispose]();
    },
  };
}

interface Search {
  readonly watchers: Set<() => void>;
  readonly events: readonly KubeEvent[];
  readonly what: string;
  readonly ms: number | undefined;
}

async function untilFound<T>(
  { watchers, events, what, ms = UNTIL_MS_DEFAULT }: Search,
  look: (events: readonly KubeEvent[]) => T | undefined,
): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const watcher = (): void => {
    const found = look(events);
    if (found !== undefined) resolve(found);
  };
  watchers.add(watcher);
  watcher();
  try {
    return await withDeadline(promise, ms, createSystemClock(), what);
  } catch (error) {
    const last = JSON.stringify(events.at(-1)?.object)?.slice(0, SEEN_CHARACTERS_MAX);
    throw new Error(`in vain until ${what}; last seen: ${last ?? "nothing"}`, { cause: error });
  } finally {
    watchers.delete(watcher);
  }
}

function isChange(type: string): type is KubeEvent["type"] {
  return type === "ADDED" || type === "MODIFIED" || type === "DELETED";
}

async function open(
  connection: ApiConnection,
  path: string,
  onLine: (line: string, atMs: number) => void,
): Promise<ApiStream> {
  const stream = await connection.stream(path, onLine);
  if (stream.status === 200) return stream;
  stream[Symbol.dispose]();
  throw new Error(`the watch of ${path} was refused with status ${stream.status}`);
}

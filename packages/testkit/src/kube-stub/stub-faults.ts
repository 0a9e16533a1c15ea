// Faults that the stub was told to have, each for so many requests of a sort. The first that was
// told and fits is taken. It plays none of them.

import type { StubSnapshot } from "./object-history.ts";
import { isMeant, type RequestLog, type StubRequest, type StubWhen } from "./request-log.ts";

/** What goes wrong. */
export type FaultDo =
  /** A Status object with this code, such as 429, 500 or 410. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly retryAfterS?: number;
      readonly message?: string;
    }
  /** The error page of a proxy. */
  | { readonly kind: "html"; readonly status: number }
  /** 200, and text that is no JSON: as the body, or as the first line of a watch. */
  | { readonly kind: "garbage" }
  /**
   * The connection ends: before the head of the answer; in the middle of a line of a watch, or of a
   * body; after so many bytes of either.
   */
  | { readonly kind: "cut"; readonly where: "head" | "line" | { readonly afterBytes: number } }
  /** The request is taken, and nothing is answered. */
  | { readonly kind: "hang" }
  /** A watch opens, and nothing ever comes of it, no bookmark either. */
  | { readonly kind: "silence" }
  /** It is answered as usual after `release`. */
  | { readonly kind: "delay" }
  /** A whole list with nothing in it. */
  | { readonly kind: "empty-list" }
  /** A list out of the past, its version too. */
  | { readonly kind: "serve-snapshot"; readonly snapshot: StubSnapshot }
  /** A watch opens with a line of good JSON that is so long. Default: 20 MB. */
  | { readonly kind: "long-line"; readonly bytes?: number }
  /** A watch opens, and ends with an ERROR event of this code. */
  | { readonly kind: "error-event"; readonly code: number; readonly message?: string };

/** Which requests meet what, and how often. */
export interface FaultOptions {
  readonly when: StubWhen;
  readonly do: FaultDo;
  /** Default: 1. Infinity is until it is disposed of. */
  readonly times?: number;
}

/** A fault that was told. Disposing ends it; what has met it stays as it is. */
export interface Fault extends Disposable {
  hits(): number;
  /** Resolves when it was met so often. Default: once. */
  met(times?: number): Promise<void>;
  /** Requests that wait by `delay` go on, and later ones do not wait. */
  release(): void;
}

/** A fault as it is played. */
export interface TakenFault {
  readonly act: FaultDo;
  /** Settles with `release`. */
  readonly released: Promise<void>;
}

interface Entry extends TakenFault {
  readonly when: StubWhen;
  readonly times: number;
  hits: number;
}

/** All faults of one stub. */
export class StubFaults {
  #entries: readonly Entry[] = [];
  readonly #log: RequestLog;

  constructor(log: RequestLog) {
    this.#log = log;
  }

  add(options: FaultOptions): Fault {
    const { when, do: act, times = 1 } = options;
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const entry: Entry = { when, act, times, released, hits: 0 };
    this.#entries = [...this.#entries, entry];
    return {
      hits: () => entry.hits,
      met: (count = 1) =>
        this.#log.until(() => entry.hits >= count, `a request that meets the fault ${act.kind}`),
      release: resolve,
      [Symbol.dispose]: () => {
        this.#entries = this.#entries.filter((each) => each !== entry);
      },
    };
  }

  /** The fault that the request meets, which is one less to be met. */
  take(request: Pick<StubRequest, "target" | "query">): TakenFault | undefined {
    const entry = this.#entries.find(
      ({ when, hits, times }) => hits < times && isMeant(when, request),
    );
    if (entry === undefined) return undefined;
    entry.hits += 1;
    this.#log.changed();
    return entry;
  }
}

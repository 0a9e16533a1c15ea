// What was asked of the stub, in order, and whoever waits for something to be asked. It decides
// nothing.

import { createSystemClock, withDeadline } from "@fairlead/runtime";

import type { StubResource, StubTarget, StubVerb } from "./stub-kinds.ts";

/** One request. */
export interface StubRequest {
  /** From 1, in the order in which they came: the time of the stub. */
  readonly sequence: number;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly userAgent: string;
  readonly contentType: string;
  /** Parsed where it is JSON; undefined without a body. */
  readonly body: unknown;
  /** What it is about; undefined where the path names nothing that is served. */
  readonly target: StubTarget | undefined;
  /** What was answered; undefined while or when nothing was. */
  readonly status: number | undefined;
}

/** Which requests, or which faults; absent fields are anything. */
export interface StubWhen {
  readonly resource?: StubResource;
  readonly verb?: StubVerb;
  readonly subresource?: "status" | "none";
  readonly namespace?: string;
  readonly name?: string;
  /** The first page of a list, or a further one. */
  readonly page?: "first" | "further";
}

/** How many requests of each sort there were. */
export interface RequestCounts {
  readonly list: number;
  readonly watch: number;
  readonly get: number;
  /** create, update, patch and delete. */
  readonly write: number;
}

/** A test waits no longer than this for a request, in ms of real time. */
const WAIT_MS_MAX = 10_000;
/** Requests that the message of a wait in vain shows. */
const TOLD_MAX = 20;

interface LoggedRequest extends StubRequest {
  status: number | undefined;
}

/** Keeps requests. */
export class RequestLog {
  #requests: LoggedRequest[] = [];
  readonly #waiting = new Set<() => void>();
  #sequence = 0;

  /** Takes one in, and returns how its status is set. */
  add(request: Omit<StubRequest, "sequence" | "status">): (status: number) => void {
    this.#sequence += 1;
    const entry: LoggedRequest = { ...request, sequence: this.#sequence, status: undefined };
    this.#requests.push(entry);
    this.changed();
    return (status) => {
      entry.status = status;
    };
  }

  all(when: StubWhen = {}): readonly StubRequest[] {
    return this.#requests.filter((request) => isMeant(when, request)).map((each) => ({ ...each }));
  }

  counts(when: StubWhen = {}): RequestCounts {
    const verbs = this.all(when).map(({ target }) => target?.verb);
    const count = (...of: readonly StubVerb[]): number =>
      verbs.filter((verb) => verb !== undefined && of.includes(verb)).length;
    return {
      list: count("list"),
      watch: count("watch"),
      get: count("get"),
      write: count("create", "update", "patch", "delete"),
    };
  }

  /** Forgets what was asked; the count goes on. */
  clear(): void {
    this.#requests = [];
  }

  /** Something that may be waited for has changed. */
  changed(): void {
    for (const look of this.#waiting) look();
  }

  /** Resolves when it is so. `what` says what is waited for. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    if (isSo()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (isSo()) resolve();
    };
    this.#waiting.add(look);
    try {
      await withDeadline(promise, WAIT_MS_MAX, createSystemClock(), what);
    } catch (cause) {
      const last = this.#requests.slice(-TOLD_MAX).map(requestLine);
      throw new Error([`waited in vain for ${what}; the last requests:`, ...last].join("\n  "), {
        cause,
      });
    } finally {
      this.#waiting.delete(look);
    }
  }
}

/** Whether the request is one of those. */
export function isMeant(
  when: StubWhen,
  { target, query }: Pick<StubRequest, "target" | "query">,
): boolean {
  const { resource, verb, subresource, namespace, name, page } = when;
  const isFurther = query["continue"] !== undefined;
  return (
    (resource === undefined || target?.kind.resource === resource) &&
    (verb === undefined || target?.verb === verb) &&
    (subresource === undefined || (target?.subresource ?? "none") === subresource) &&
    (namespace === undefined || target?.namespace === namespace) &&
    (name === undefined || target?.name === name) &&
    (page === undefined || isFurther === (page === "further"))
  );
}

function requestLine({ sequence, method, path, query, status }: StubRequest): string {
  return `${sequence} ${method} ${path} ${JSON.stringify(query)} -> ${status ?? "nothing"}`;
}

// Takes what is ours out of spec.externalIPs when serving ends: what stays there sends clients to
// addresses that nobody answers at. Given the book and what looks at a Service; it waits a bounded
// time, and says what it had to leave behind.

import { type ClaimId, claimId } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import type { ServiceBook } from "../../kube/service-record.ts";
import type { ServiceView } from "./service-view.ts";

/** So long it is tried to take back what is ours, in ms: a program has a few seconds to end. */
const EMPTY_MS_MAX = 3000;
const EMPTY_POLL_MS = 20;

/** Addresses of ours that may still stand in `spec.externalIPs` of a Service. */
export interface LeftBehind {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly string[];
}

/**
 * Whoever ends serving takes back what it wrote, as long as the server answers in time.
 * @returns what it did not take out by then; empty: nothing is left.
 */
export async function emptyExternal(options: {
  readonly book: ServiceBook;
  readonly view: ServiceView;
  /** Writes what is to be written of a Service. */
  readonly look: (id: ClaimId) => void;
  readonly clock: Clock;
}): Promise<readonly LeftBehind[]> {
  const { book, view, look, clock } = options;
  const endMs = clock.nowMs() + EMPTY_MS_MAX;
  for (;;) {
    const left = [...book.marked()].flatMap(({ namespace, name }) => {
      const id = claimId("service", namespace, name);
      const addresses = id === undefined ? undefined : view.get(id)?.writtenExternalIPs;
      return id === undefined || addresses === undefined
        ? []
        : [{ id, namespace, name, addresses }];
    });
    if (left.length === 0 || clock.nowMs() >= endMs) return left;
    for (const { id } of left) look(id);
    await clock.sleep(EMPTY_POLL_MS);
  }
}

/** Services that are named in one text at most. */
const NAMED_MAX = 20;

/** What was left behind, for people: `default/web 192.0.2.10, default/dns 192.0.2.11`. */
export function leftText(left: readonly LeftBehind[]): string {
  const named = left
    .slice(0, NAMED_MAX)
    .map(({ namespace, name, addresses }) => `${namespace}/${name} ${addresses.join(" and ")}`);
  const more = left.length - named.length;
  return `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

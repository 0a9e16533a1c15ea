// Makes of the elements of our sets who was heard, and which adverts passed the host's firewalls
// when. Pure.

import {
  type HeardRouter,
  compareAddress,
  compareBy,
  compareNumber,
  compareText,
} from "@fairlead/model";

import type { HeardAdverts, RouterElement } from "../ports.ts";

/** A report names at most so many; more are a network that has other troubles. */
const HEARD_MAX = 64;

/** How long an element lives after a packet, in s. */
const ELEMENT_S = 60;

/** All that were heard, lowest router id first. */
export function heardRouters(elements: readonly RouterElement[]): readonly HeardRouter[] {
  const found = elements.map(({ routerId, source, link }) => ({ routerId, source, link }));
  return found.sort(compareRouter).slice(0, HEARD_MAX);
}

/** What passed. `nowMs` is the monotonic time of the reading. */
export function passedAdverts(
  elements: readonly RouterElement[],
  nowMs: number,
): readonly HeardAdverts[] {
  return elements.map(({ expiresMs, ...router }) => {
    const agoMs = Math.max(0, ELEMENT_S * 1000 - expiresMs);
    return { ...router, lastMs: nowMs - agoMs };
  });
}

const compareRouter = compareBy<HeardRouter>(
  (a, b) => compareNumber(a.routerId, b.routerId),
  (a, b) => compareAddress(a.source, b.source),
  (a, b) => compareText(a.link, b.link),
);

// Reads the sets of heard routers as `nft -j` prints them: `heard` of all that came to the host's
// links, `passed` of what its firewalls let through. Pure: text in, values out. What does not read
// is left out.

import {
  type HeardRouter,
  ROUTER_ID_MAX,
  compareAddress,
  compareBy,
  compareNumber,
  compareText,
  parseAddress,
  parseDeviceName,
} from "@fairlead/model";

import type { HeardAdverts } from "../ports.ts";

/** A report names at most so many; more are a network that has other troubles. */
const HEARD_MAX = 64;

/** How long an element lives after a packet, in s. */
export const ELEMENT_S = 60;

/** All that were heard, lowest router id first. */
export function heardRouters(text: string): readonly HeardRouter[] {
  const found = elementsOf(text, "heard").map(({ router }) => router);
  return found.sort(compareRouter).slice(0, HEARD_MAX);
}

/** What passed; undefined: there are no such sets. `nowMs` is the monotonic time of the reading. */
export function passedAdverts(text: string, nowMs: number): readonly HeardAdverts[] | undefined {
  if (!setsOf(text, "passed").length) return undefined;
  return elementsOf(text, "passed").map(({ router, expiresS }) => {
    // Whole seconds are printed, without their fractions.
    const agoMs = Math.max(0, ELEMENT_S - 1 - expiresS) * 1000;
    return { ...router, lastMs: nowMs - agoMs };
  });
}

interface Element {
  readonly router: HeardRouter;
  readonly expiresS: number;
}

function elementsOf(text: string, kind: "heard" | "passed"): Element[] {
  return setsOf(text, kind).flatMap((set) =>
    listOf(fieldOf(set, "elem")).flatMap((elem): readonly Element[] => {
      const inner = fieldOf(elem, "elem");
      const router = routerOf(fieldOf(inner, "val"));
      const expiresS = Number(fieldOf(inner, "expires") ?? 0);
      return router === undefined ? [] : [{ router, expiresS }];
    }),
  );
}

function setsOf(text: string, kind: "heard" | "passed"): readonly unknown[] {
  return listOf(fieldOf(JSON.parse(text), "nftables"))
    .map((entry) => fieldOf(entry, "set"))
    .filter((set) => String(fieldOf(set, "name")).startsWith(kind));
}

const compareRouter = compareBy<HeardRouter>(
  (a, b) => compareNumber(a.routerId, b.routerId),
  (a, b) => compareAddress(a.source, b.source),
  (a, b) => compareText(a.link, b.link),
);

function routerOf(value: unknown): HeardRouter | undefined {
  const [linkText, sourceText, routerId] = listOf(fieldOf(value, "concat"));
  if (typeof linkText !== "string" || typeof sourceText !== "string") return undefined;
  const link = parseDeviceName(linkText);
  const source = parseAddress(sourceText);
  if (link === undefined || source === undefined || typeof routerId !== "number") return undefined;
  return routerId >= 1 && routerId <= ROUTER_ID_MAX ? { routerId, source, link } : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

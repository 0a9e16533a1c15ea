// Reads the sets of heard routers as `nft -j` prints them. Pure: text in, values out. What does not
// read is left out.

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

/** A report names at most so many; more are a network that has other troubles. */
const HEARD_MAX = 64;

/** All that were heard, lowest router id first. */
export function heardRouters(text: string): readonly HeardRouter[] {
  const found: HeardRouter[] = [];
  for (const entry of listOf(fieldOf(JSON.parse(text), "nftables"))) {
    for (const elem of listOf(fieldOf(fieldOf(entry, "set"), "elem"))) {
      const router = routerOf(fieldOf(fieldOf(elem, "elem"), "val"));
      if (router !== undefined) found.push(router);
    }
  }
  return found.sort(compareRouter).slice(0, HEARD_MAX);
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

// The small grammars of the controller's flags: labels and router ids. Pure. Given a flag's text.

import { ROUTER_ID_MAX, compareNumber } from "@fairlead/model";

import type { NodeSelector } from "./sources/node-object.ts";

/** A label's key: an optional DNS prefix and a name of at most 63 characters. */
const LABEL_KEY =
  /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/u;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/u;

/**
 * Reads `KEY=VALUE,KEY` as kubectl's -l does: labels that must all be there, a key alone with any
 * value, `KEY=` with an empty one. Undefined when the text is no such list; an empty text asks for
 * nothing.
 */
export function parseNodeSelector(text: string): NodeSelector | undefined {
  const labels = new Map<string, string | undefined>();
  for (const part of partsOf(text)) {
    const equals = part.indexOf("=");
    const key = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? undefined : part.slice(equals + 1);
    if (!LABEL_KEY.test(key) || !LABEL_VALUE.test(value ?? "") || labels.has(key)) return undefined;
    labels.set(key, value);
  }
  return Object.fromEntries(labels);
}

/** Reads `1,50-59` as router ids, sorted, none twice. Undefined when the text is no such list. */
export function parseRouterIds(text: string): readonly number[] | undefined {
  const ids = new Set<number>();
  for (const part of partsOf(text)) {
    const match = /^(\d{1,3})(?:-(\d{1,3}))?$/u.exec(part);
    const first = Number(match?.[1] ?? 0);
    const last = Number(match?.[2] ?? first);
    if (match === null || first < 1 || last > ROUTER_ID_MAX || first > last) return undefined;
    for (let id = first; id <= last; id += 1) ids.add(id);
  }
  return [...ids].toSorted(compareNumber);
}

function partsOf(text: string): readonly string[] {
  return text.trim() === "" ? [] : text.split(",").map((part) => part.trim());
}

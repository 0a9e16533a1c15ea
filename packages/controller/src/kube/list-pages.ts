// Lists all objects of one kind, page by page and part by part, so that no answer is large and the
// loop breathes between two. Given a client. An expired continuation starts the list again, once.

import { setImmediate } from "node:timers/promises";

import type { KubeClient } from "./kube-client.ts";
import { isKubeError, KubeError } from "./kube-errors.ts";
import { childOf, isJson, type Json, readVersion, textOf } from "./object-fields.ts";

/**
 * Objects of one page: parsing them blocks the loop for a few ms, and most of a smaller page is
 * collected young (measured with 5 000 Services: one collection of everything less in seven than
 * with 100, and a quarter of the time with young objects).
 */
const PAGE_OBJECTS = 50;
/** Objects that are handed on before others may have the loop: reading them takes a few ms. */
const HANDED_AT_ONCE = 25;
/** Names and versions alone are small. */
const NAMES_OBJECTS = 2000;
const NAMES_AT_ONCE = 500;
/** Pages of one list: beyond this many objects something is wrong. */
const PAGES_MAX = 4000;

/** What is wanted back: whole objects, or their metadata. */
const WHOLE = "application/json";
const METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/** A list of one kind. */
export interface PagedList {
  readonly client: KubeClient;
  /** `/api/v1/services`. */
  readonly path: string;
  /** Metadata only: names, uids and versions. */
  readonly namesOnly?: boolean;
  /** Objects of one page. Default: 50, and 2000 of names only. */
  readonly pageObjects?: number;
  readonly signal: AbortSignal;
  /** Called for each part of a page, before the next one is asked for; all are of one version. */
  readonly onPage: (items: readonly Json[], version: number) => void;
  /** The list starts again from its beginning: what was handed on counts no more. */
  readonly onRestart: () => void;
}

/** Lists, and resolves with the version that the whole list is of. Rejects with a KubeError. */
export async function listPages(list: PagedList): Promise<number> {
  try {
    return await listOnce(list);
  } catch (error) {
    // The snapshot that the pages are of was compacted between two of them.
    if (!isKubeError(error, "GONE")) throw error;
    list.onRestart();
    return await listOnce(list);
  }
}

async function listOnce(list: PagedList): Promise<number> {
  const { client, path, namesOnly = false, signal, onPage } = list;
  const limit = String(list.pageObjects ?? (namesOnly ? NAMES_OBJECTS : PAGE_OBJECTS));
  const atOnce = namesOnly ? NAMES_AT_ONCE : HANDED_AT_ONCE;
  let next: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = next === undefined ? { limit } : { limit, continue: next };
    const accept = namesOnly ? METADATA : WHOLE;
    const answer = await client.request({ method: "GET", path, query, accept }, signal);
    const { items, version, rest } = readPage(path, answer);
    for (let from = 0; from === 0 || from < items.length; from += atOnce) {
      if (from > 0) await setImmediate();
      signal.throwIfAborted();
      onPage(items.slice(from, from + atOnce), version);
    }
    if (rest === undefined) return version;
    next = rest;
  }
  throw badPage(path, `more than ${PAGES_MAX} pages`);
}

function readPage(
  path: string,
  answer: unknown,
): { readonly items: readonly Json[]; readonly version: number; readonly rest?: string } {
  if (!isJson(answer)) throw badPage(path, "no object");
  // An empty list of Go may be null.
  const items = answer["items"] ?? [];
  if (!Array.isArray(items) || textOf(answer, "kind")?.endsWith("List") !== true) {
    throw badPage(path, "no list");
  }
  const metadata = childOf(answer, "metadata");
  const version = readVersion(textOf(metadata, "resourceVersion"));
  const rest = textOf(metadata, "continue");
  const isMore = rest !== undefined && rest !== "";
  return { items: items.filter(isJson), version, ...(isMore ? { rest } : {}) };
}

function badPage(path: string, what: string): KubeError {
  const message = `GET ${path}: the answer is not what the API promises: ${what}`;
  return new KubeError({ code: "SERVER", message });
}

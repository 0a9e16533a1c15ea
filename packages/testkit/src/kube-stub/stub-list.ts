// Lists of the stub: whole or page by page out of one version, as objects or as their metadata.
// Given the history and a query. A continuation carries the version that its list is of.

import { childOf, isJson, type Json } from "./json-tree.ts";
import {
  listed,
  type ObjectHistory,
  placeOf,
  type Scope,
  type StubSnapshot,
} from "./object-history.ts";
import {
  badRequest,
  continueExpired,
  listExpired,
  type StubAnswer,
  versionTooLarge,
} from "./status-answers.ts";

/** What is asked of a list. */
export interface ListQuery {
  readonly scope: Scope;
  readonly limit: number | undefined;
  readonly continueToken: string | undefined;
  readonly version: string | undefined;
  readonly match: string | undefined;
  /** Names, uids and versions alone are wanted. */
  readonly namesOnly: boolean;
}

/** Reads it. */
export function readListQuery(scope: Scope, query: URLSearchParams, accept: string): ListQuery {
  const limit = Number(query.get("limit") ?? 0);
  return {
    scope,
    limit: limit > 0 ? limit : undefined,
    continueToken: query.get("continue") || undefined,
    version: query.get("resourceVersion") || undefined,
    match: query.get("resourceVersionMatch") || undefined,
    namesOnly: accept.includes("as=PartialObjectMetadataList"),
  };
}

/** Answers from the history. */
export function answerList(history: ObjectHistory, query: ListQuery): StubAnswer {
  const { scope, continueToken } = query;
  if (continueToken !== undefined) return answerNext(history, query, continueToken);
  const asked = query.version === undefined ? undefined : readVersion(query.version);
  if (asked !== undefined && Number.isNaN(asked)) {
    return badRequest(`invalid resource version: ${query.version}`);
  }
  if (asked !== undefined && asked > history.version) {
    return versionTooLarge(asked, history.version);
  }
  // Any version from the asked one on will do, unless that very one is wanted.
  const isExact = query.match === "Exact" && asked !== undefined;
  if (isExact && asked < history.compacted) return listExpired();
  const version = isExact ? asked : history.version;
  return page(query, { version, items: history.list(scope, version), after: "" });
}

/** Answers as if the snapshot were all that there is. */
export function answerSnapshot(snapshot: StubSnapshot, query: ListQuery): StubAnswer {
  const { version } = snapshot;
  return page(query, { version, items: listed(snapshot.objects, query.scope), after: "" });
}

/** Answers that there is nothing. */
export function answerEmpty(history: ObjectHistory, query: ListQuery): StubAnswer {
  return page(query, { version: history.version, items: [], after: "" });
}

function answerNext(history: ObjectHistory, query: ListQuery, token: string): StubAnswer {
  const position = readToken(token);
  if (position === undefined) return badRequest("continue key is not valid");
  const { version, after } = position;
  // With -1 it takes what there is now, and whoever asks knows that it is of no one moment.
  if (version >= 0 && version < history.compacted) {
    return continueExpired(writeToken({ version: -1, after }));
  }
  const at = version < 0 ? history.version : version;
  return page(query, { version: at, items: history.list(query.scope, at), after });
}

interface Page {
  readonly version: number;
  readonly items: readonly Json[];
  /** The place of the last item before; empty at the start. */
  readonly after: string;
}

function page(query: ListQuery, { version, items, after }: Page): StubAnswer {
  const { limit = Number.POSITIVE_INFINITY, scope, namesOnly } = query;
  const left = after === "" ? items : items.filter((item) => placeOf(item) > after);
  const shown = left.slice(0, limit);
  const rest = left.length - shown.length;
  const last = shown.at(-1);
  const more =
    rest === 0 || last === undefined
      ? {}
      : { continue: writeToken({ version, after: placeOf(last) }), remainingItemCount: rest };
  const { kind, apiVersion } = scope.kind;
  const body = {
    kind: namesOnly ? "PartialObjectMetadataList" : `${kind}List`,
    apiVersion: namesOnly ? "meta.k8s.io/v1" : apiVersion,
    metadata: { resourceVersion: String(version), ...more },
    items: shown.map(namesOnly ? metadataOnly : withoutKind),
  };
  return { status: 200, body };
}

/** Lists leave out what kind their items are. */
function withoutKind(object: Json): Json {
  const { kind: _, apiVersion: __, ...rest } = object;
  return rest;
}

function metadataOnly(object: Json): Json {
  const kind = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" };
  return { ...kind, metadata: childOf(object, "metadata") };
}

interface Position {
  readonly version: number;
  readonly after: string;
}

function writeToken({ version, after }: Position): string {
  const token = { v: "meta.k8s.io/v1", rv: version, start: `${after}\u0000` };
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

function readToken(text: string): Position | undefined {
  try {
    const token: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    const { rv, start } = isJson(token) ? token : {};
    if (typeof rv !== "number" || typeof start !== "string") return undefined;
    return { version: rv, after: start.replaceAll("\u0000", "") };
  } catch {
    return undefined;
  }
}

/** A version as a number; NaN where it is none. */
export function readVersion(text: string): number {
  return /^\d+$/u.test(text) ? Number(text) : Number.NaN;
}

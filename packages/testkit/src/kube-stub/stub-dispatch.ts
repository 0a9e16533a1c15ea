// From a request to its answer: who asks, what about, with which right, and which fault lies in
// the way. Given the parts of the stub; it keeps nothing.

import type { IncomingMessage, ServerResponse } from "node:http";
import { text as readText } from "node:stream/consumers";

import { type FaultDo, type StubFaults, type TakenFault } from "./stub-faults.ts";
import { childOf, isJson, type Json, textOf } from "./json-tree.ts";
import type { ObjectHistory, ObjectKey, Scope } from "./object-history.ts";
import { playFault, type Usual } from "./play-fault.ts";
import type { RequestLog } from "./request-log.ts";
import {
  badRequest,
  methodNotAllowed,
  noSuchPath,
  notFound,
  requestTooLarge,
  statusBody,
  type StubAnswer,
  unsupportedMediaType,
} from "./status-answers.ts";
import { readTarget, type StubTarget } from "./stub-kinds.ts";
import {
  answerEmpty,
  answerList,
  answerSnapshot,
  readListQuery,
  readVersion,
} from "./stub-list.ts";
import { type LineSink, openLines, sendAnswer } from "./stub-response.ts";
import type { StubRights } from "./stub-rights.ts";
import type { StubWatches } from "./stub-watches.ts";
import type { StubWrite, StubWrites } from "./stub-writes.ts";

/** What answers are made of. */
export interface StubParts {
  readonly history: ObjectHistory;
  readonly writes: StubWrites;
  readonly watches: StubWatches;
  readonly log: RequestLog;
  readonly faults: StubFaults;
  readonly rights: StubRights;
}

/** A request as it is answered. */
interface Asked {
  readonly url: URL;
  readonly target: StubTarget;
  readonly accept: string;
  readonly contentType: string;
  readonly body: unknown;
}

/** A fault that changes what is answered, and not how. */
type ListFault = FaultDo & { readonly kind: "empty-list" | "serve-snapshot" };

/** An API server reads no more of a request. */
const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** Answers one request. */
export async function dispatch(
  parts: StubParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET", headers } = request;
  const url = new URL(request.url ?? "/", "http://stub");
  const text = await readText(request).catch(() => "");
  const body = parseBody(text);
  const found = readTarget(method, url);
  const target = typeof found === "string" ? undefined : found;
  const query = Object.fromEntries(url.searchParams);
  const contentType = headers["content-type"] ?? "";
  const userAgent = headers["user-agent"] ?? "";
  const noted = { method, path: url.pathname, query, userAgent, contentType, body, target };
  const setStatus = parts.log.add(noted);
  response.once("finish", () => setStatus(response.statusCode));
  const fault = parts.faults.take(noted);
  if (fault?.act.kind === "delay") await fault.released;
  const refused = parts.rights.authenticate() ?? (target && parts.rights.authorize(target));
  if (refused !== undefined) return sendAnswer(response, refused);
  if (found === "not-found") return sendAnswer(response, noSuchPath());
  if (typeof found === "string") return sendAnswer(response, methodNotAllowed());
  if (Buffer.byteLength(text) > BODY_BYTES_MAX) {
    return sendAnswer(response, requestTooLarge(BODY_BYTES_MAX));
  }
  const asked = { url, target: found, accept: headers.accept ?? "", contentType, body };
  answer(parts, response, asked, fault);
}

function answer(
  parts: StubParts,
  response: ServerResponse,
  asked: Asked,
  fault: TakenFault | undefined,
): void {
  const act = fault?.act;
  if (act === undefined || act.kind === "delay") return play(response, usualOf(parts, asked));
  if (act.kind === "empty-list" || act.kind === "serve-snapshot") {
    return sendAnswer(response, falseList(parts, asked, act));
  }
  playFault(response, act, usualOf(parts, asked));
}

function play(response: ServerResponse, usual: Usual): void {
  if (usual.kind === "whole") return sendAnswer(response, usual.answer());
  usual.follow(openLines(response));
}

function falseList({ history }: StubParts, asked: Asked, fault: ListFault): StubAnswer {
  const { target, url, accept } = asked;
  if (target.verb !== "list") throw new TypeError(`${fault.kind} is a fault of lists`);
  const query = readListQuery(scopeOf(target), url.searchParams, accept);
  if (fault.kind === "empty-list") return answerEmpty(history, query);
  return answerSnapshot(fault.snapshot, query);
}

function usualOf(parts: StubParts, asked: Asked): Usual {
  if (asked.target.verb !== "watch") {
    return { kind: "whole", answer: () => answerWhole(parts, asked) };
  }
  const { url, target, accept } = asked;
  const version = readVersion(url.searchParams.get("resourceVersion") ?? "0");
  if (Number.isNaN(version)) {
    const message = "resourceVersion: Invalid value";
    return {
      kind: "whole",
      answer: () => ({ status: 500, body: statusBody({ code: 500, message }) }),
    };
  }
  const query = {
    scope: scopeOf(target),
    version,
    wantsBookmarks: url.searchParams.get("allowWatchBookmarks") === "true",
    namesOnly: accept.includes("as=PartialObjectMetadata"),
  };
  return { kind: "lines", follow: (sink: LineSink) => follow(parts, query, sink) };
}

function follow(
  { watches, log }: StubParts,
  query: Parameters<StubWatches["open"]>[0],
  sink: LineSink,
): void {
  const watch = watches.open(query, sink);
  sink.onClose(() => {
    watch.close();
    log.changed();
  });
  log.changed();
}

function answerWhole(parts: StubParts, asked: Asked): StubAnswer {
  const { history, writes } = parts;
  const { target, url, accept, body } = asked;
  switch (target.verb) {
    case "list":
      return answerList(history, readListQuery(scopeOf(target), url.searchParams, accept));
    case "get": {
      const key = keyOf(target);
      const object = history.get(key);
      return object === undefined ? notFound(key.kind, key.name) : { status: 200, body: object };
    }
    case "delete":
      return writes.delete(keyOf(target), isJson(body) ? body : {});
    default: {
      if (!isJson(body)) return badRequest("the body is no JSON object");
      if (target.verb === "update") return writes.replace(writeOf(asked, body));
      return target.verb === "create" ? create(writes, asked, body) : patch(writes, asked, body);
    }
  }
}

function create(writes: StubWrites, asked: Asked, body: Json): StubAnswer {
  const metadata = childOf(body, "metadata");
  const prefix = textOf(metadata, "generateName");
  const made = `${prefix}${Math.random().toString(36).slice(2, 7)}`;
  const name = textOf(metadata, "name") || (prefix === "" ? "" : made);
  if (name === "") return badRequest("name or generateName is required");
  return writes.create(writeOf({ ...asked, target: { ...asked.target, name } }, body));
}

function patch(writes: StubWrites, asked: Asked, body: Json): StubAnswer {
  switch (asked.contentType) {
    case "application/apply-patch+yaml":
      return writes.apply(writeOf(asked, body));
    case "application/merge-patch+json":
      return writes.mergePatch(writeOf(asked, body));
    default:
      return unsupportedMediaType();
  }
}

function writeOf({ target, url }: Asked, body: Json): StubWrite {
  return {
    key: keyOf(target),
    subresource: target.subresource,
    body,
    manager: url.searchParams.get("fieldManager") ?? undefined,
    isForced: url.searchParams.get("force") === "true",
  };
}

function scopeOf({ kind, namespace }: StubTarget): Scope {
  return { kind, namespace };
}

function keyOf({ kind, namespace, name = "" }: StubTarget): ObjectKey {
  return { kind, namespace, name };
}

/** JSON is YAML, and of YAML nothing else is written here. */
function parseBody(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

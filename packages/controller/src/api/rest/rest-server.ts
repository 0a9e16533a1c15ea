// The REST server: node:http, a table of routes, and bounds on everything that a client may send.
// Given the routes. As nobody logs in yet it answers only those who call it by a loopback's name,
// which a web page of elsewhere cannot do.

import type { IncomingMessage, ServerResponse } from "node:http";

import { assert } from "@fairlead/model";
import {
  type HostPort,
  type Logger,
  closeHttp,
  describeError,
  isEdgeError,
  isLoopbackHost,
  listenHttp,
  nodeHttp,
} from "@fairlead/runtime";

import { PROBLEM_TYPE, type Problem, problemBody, unavailable } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { type Answered, type Route, matchRoute } from "./route.ts";

const HEADER_BYTES_MAX = 8 * 1024;
const BODY_BYTES_MAX = 16 * 1024;
const CONNECTIONS_MAX = 256;
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than clients wait between two requests of one piece of work. */
const KEEP_ALIVE_MS = 15_000;

/** What is served, and where. */
export interface RestServerOptions {
  /** Of the loopback. Port 0 takes any free port. */
  readonly listen: HostPort;
  readonly log: Logger;
  readonly routes: readonly Route[];
}

/** A server that listens. Disposing closes it and every connection. */
export interface RestServer extends AsyncDisposable {
  /** Where it really listens. */
  readonly address: HostPort;
}

/** Starts it. Rejects with EdgeError<ListenErrorCode> when it cannot listen. */
export async function createRestServer(options: RestServerOptions): Promise<RestServer> {
  const { listen, log } = options;
  assert(isLoopbackHost(listen.host), "nobody is asked who he is");
  const server = nodeHttp.createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => void answer(options, request, response),
  );
  server.maxConnections = CONNECTIONS_MAX;
  const address = await listenHttp(server, listen, (error) => {
    log.warn({ error: describeError(error) }, "REST server");
  });
  return {
    address,
    [Symbol.asyncDispose]: () => closeHttp(server),
  };
}

async function answer(
  { routes }: RestServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answered = await replyTo(routes, request);
  if (answered === undefined || response.destroyed) return;
  const isProblem = answered.kind === "problem";
  const body = isProblem ? problemBody(answered) : answered.body;
  const text = body === undefined ? "" : `${JSON.stringify(body)}\n`;
  response.writeHead(answered.status, {
    ...(body === undefined ? {} : { "content-type": isProblem ? PROBLEM_TYPE : JSON_TYPE }),
    ...(answered.status === 204 ? {} : { "content-length": Buffer.byteLength(text) }),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    // What was not read of a body would be taken for the next request.
    ...(request.complete ? {} : { connection: "close" }),
    ...(isProblem ? answered.headers : {}),
  });
  response.end(request.method === "HEAD" ? undefined : text);
}

const JSON_TYPE = "application/json";

/** Undefined: nobody waits any more. */
async function replyTo(
  routes: readonly Route[],
  request: IncomingMessage,
): Promise<Answered | undefined> {
  const { host = "" } = request.headers;
  if (!isLoopbackHost(hostName(host))) return problem(foreignHost(host));
  const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
  const match = matchRoute(routes, request.method ?? "", path);
  if (match.kind === "none") return problem(unknownRoute(path));
  if (match.kind === "method") return problem(otherMethod(request.method, match.allowed));
  const { route, params } = match;
  const body = await readBody(request, route.bodyBytesMax ?? BODY_BYTES_MAX);
  if (body.kind === "aborted") return undefined;
  if (body.kind === "problem") return problem(body.problem);
  try {
    return await route.handle({ params, query: new URLSearchParams(query), body: body.value });
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    const code = UNAVAILABLE.get(error.code) ?? "StoreUnavailable";
    return problem(unavailable(code, describeError(error)));
  }
}

/** What is not the store's own trouble. */
const UNAVAILABLE: ReadonlyMap<string, "Busy" | "NotLeading"> = new Map([
  ["BUSY", "Busy"],
  ["NOT_LEADING", "NotLeading"],
] as const);

/** The name in a Host header: without its port, and without an IPv6 address's brackets. */
function hostName(host: string): string {
  const name = host.toLowerCase().replace(/:\d{1,5}$/u, "");
  return name.replace(/^\[(.*)\]$/u, "$1");
}

function problem(one: Problem): Answered {
  return { kind: "problem", ...one };
}

function foreignHost(host: string): Problem {
  return {
    status: 421,
    code: "ForeignHost",
    what: "the request is for another host",
    why: `the host asked for is ${JSON.stringify(host)}`,
    todo: "ask 127.0.0.1, [::1] or localhost; others are not served before there is a log-in",
  };
}

function unknownRoute(path: string): Problem {
  return {
    status: 404,
    code: "UnknownRoute",
    what: "there is no such route",
    why: `nothing is at ${JSON.stringify(path)}`,
    todo: "see docs/reference/ipam.md for all routes",
  };
}

function otherMethod(method: string | undefined, allowed: readonly string[]): Problem {
  return {
    status: 405,
    code: "MethodNotAllowed",
    what: "the route does not do this",
    why: `${method ?? "the method"} is not among ${allowed.join(", ")}`,
    todo: "see docs/reference/ipam.md for what each route does",
    headers: { allow: allowed.join(", ") },
  };
}

// Routes: which method and path leads where. Pure. A path is of fixed words and `:names`; nothing
// else is a pattern, so that a path has at most one route whatever their order.

import type { Problem } from "./problem.ts";

/** The methods that any route has. */
export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** A request as a route sees it. */
export interface RestRequest {
  /** The words that stand for the path's names, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The JSON that was sent; undefined when nothing was. */
  readonly body: unknown;
}

/** What is answered. `body` absent: none is sent. */
export interface Reply {
  readonly kind: "reply";
  readonly status: 200 | 201 | 204;
  readonly body?: unknown;
}

/** What a route answers with. */
export type Answered = Reply | ({ readonly kind: "problem" } & Problem);

/** One route. */
export interface Route {
  readonly method: Method;
  /** `/ipam/v1/classes/:class` */
  readonly path: string;
  /** Bytes of a body at most; default 16 KiB. */
  readonly bodyBytesMax?: number;
  /** Rejects with an EdgeError when a store cannot be used. */
  readonly handle: (request: RestRequest) => Answered | Promise<Answered>;
}

/** Where a request leads. */
export type Match =
  | { readonly kind: "route"; readonly route: Route; readonly params: RestRequest["params"] }
  /** The path is there, for other methods. */
  | { readonly kind: "method"; readonly allowed: readonly Method[] }
  | { readonly kind: "none" };

/** Finds the route of a path without its query. HEAD is answered by what answers GET. */
export function matchRoute(routes: readonly Route[], method: string, path: string): Match {
  const wanted = method === "HEAD" ? "GET" : method;
  const words = wordsOf(path);
  const allowed: Method[] = [];
  for (const route of words === undefined ? [] : routes) {
    const params = words === undefined ? undefined : paramsOf(route.path.split("/"), words);
    if (params === undefined) continue;
    if (route.method === wanted) return { kind: "route", route, params };
    allowed.push(route.method);
  }
  return allowed.length > 0 ? { kind: "method", allowed } : { kind: "none" };
}

/** Undefined for a path that cannot be decoded. */
function wordsOf(path: string): readonly string[] | undefined {
  try {
    return path.split("/").map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function paramsOf(
  pattern: readonly string[],
  words: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (pattern.length !== words.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const word = words[index] ?? "";
    if (part.startsWith(":") && word !== "") params[part.slice(1)] = word;
    else if (part !== word) return undefined;
  }
  return params;
}

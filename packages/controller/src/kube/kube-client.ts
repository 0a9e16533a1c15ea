// Requests to an API server over HTTPS: one answer, or the lines of a watch. Given how the server
// is reached; it keeps nothing of objects and tries nothing again: who asks knows whether to.

import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";

import { abortReason, type Clock, nodeHttp, nodeTls } from "@fairlead/runtime";

import {
  answerError,
  isKubeError,
  KubeError,
  requestWords,
  socketError,
  withProxyHint,
} from "./kube-errors.ts";
import { readBody, readLines } from "./kube-streams.ts";

/** How the API server is reached; `@fairlead/kubeconfig` makes it. */
export interface KubeAccess {
  /** Scheme, host, port and path prefix, without a slash at the end. */
  readonly server: string;
  /** Agent, certificates and credentials for one request. Rejects with an EdgeError. */
  requestOptions(): Promise<KubeRequestOptions>;
  /** The server did not take the credentials of a request: others are to be used, if there are. */
  refused?(): void;
  /** An environment variable that names a proxy, and is not used. */
  readonly unusedProxy?: string | undefined;
}

/** Options of one request, with its headers by name. */
export interface KubeRequestOptions extends Omit<RequestOptions, "headers"> {
  readonly headers?: OutgoingHttpHeaders | undefined;
}

/** One request. */
export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root of the API: `/api/v1/services`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body. Default: application/json. */
  readonly contentType?: string;
  /** What is wanted back. Default: application/json. */
  readonly accept?: string;
  /** Called when nothing more is waited for; what it throws is how the request ends, unsent. */
  readonly beforeSending?: () => void;
}

/** A client of one API server. */
export interface KubeClient {
  readonly server: string;
  /** The whole answer as parsed JSON. Rejects with a KubeError, or the reason of `signal`. */
  request(request: KubeRequest, signal?: AbortSignal): Promise<unknown>;
  /**
   * Hands each line of the answer on until the server ends it. `onOpen` comes first, when the
   * server has said yes. Resolves at the end; rejects as `request` does, and with CUT when the
   * answer ends within a line. What a callback throws ends the watch with it.
   */
  watch(request: KubeRequest, watcher: Watcher): Promise<void>;
}

/** Who listens to a watch. */
export interface Watcher {
  readonly signal: AbortSignal;
  onOpen(): void;
  /** One line, parsed. */
  onLine(value: unknown): void;
}

/** A whole answer, or the yes to a watch, has to come within this time, in ms. */
export const ANSWER_MS_MAX = 30_000;

/** Makes a client; it connects with the first request. */
export function createKubeClient(options: {
  readonly access: KubeAccess;
  readonly clock: Clock;
  /** `fairlead-controller/0.1.0`. */
  readonly userAgent: string;
}): KubeClient {
  const { access, clock, userAgent } = options;

  /** Sends it and resolves with the head of the answer. */
  async function send(request: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
    // A credential plugin may take for ever, and knows no signal.
    const base = await unlessAborted(access.requestOptions(), signal);
    const url = requestUrl(access.server, request);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const make = url.protocol === "http:" ? nodeHttp.request : httpsRequest;
    const call = make(url, {
      ...base,
      method: request.method,
      headers: {
        ...base.headers,
        "User-Agent": userAgent,
        Accept: request.accept ?? "application/json",
        ...(body === undefined ? {} : bodyHeaders(request, body)),
      },
    });
    const onAbort = (): void => void call.destroy(abortReason(signal));
    signal.addEventListener("abort", onAbort, { once: true });
    call.on("close", () => signal.removeEventListener("abort", onAbort));
    call.on("response", resolve);
    call.on("error", (error) => {
      reject(signal.aborted ? abortReason(signal) : socketError(request, error));
    });
    endOnceConnected(call, { body, beforeSending: request.beforeSending, reject });
    return promise;
  }

  /** The head of a good answer within the time allowed; of a bad one, its error. */
  async function open(request: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await send(request, signal).catch((error: unknown) => {
      throw withProxyHint(error, access.unusedProxy);
    });
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    if (status === 401) access.refused?.();
    const text = await readWords(request, answer, signal);
    const retryAfter = answer.headers["retry-after"];
    throw answerError(request, { status, retryAfter, body: parseOrText(text) });
  }

  return {
    server: access.server,
    request: (request, signal) =>
      withDeadline(clock, request, signal, async (limited) => {
        const text = await readBody(request, await open(request, limited), limited);
        return parseAnswer(request, text);
      }),
    watch: async (request, watcher) => {
      const answer = await withDeadline(clock, request, watcher.signal, (limited) =>
        // The stream itself outlives the deadline of its opening, and ends by its own signal.
        open(request, AbortSignal.any([limited, watcher.signal])),
      );
      try {
        watcher.onOpen();
      } catch (error) {
        answer.destroy();
        throw error;
      }
      await readLines(request, answer, watcher.signal, (line) => {
        watcher.onLine(parseAnswer(request, line));
      });
    },
  };
}

/** Asks whether it may be sent when all else is done: a handshake takes its time as well. */
function endOnceConnected(
  call: ClientRequest,
  how: {
    readonly body: string | undefined;
    readonly beforeSending: KubeRequest["beforeSending"];
    readonly reject: (error: unknown) => void;
  },
): void {
  const end = (): void => {
    try {
      how.beforeSending?.();
      call.end(how.body);
    } catch (error) {
      how.reject(error);
      call.destroy();
    }
  };
  call.once("socket", (socket) => {
    if (!socket.connecting) return end();
    socket.once(socket instanceof nodeTls.TLSSocket ? "secureConnect" : "connect", end);
  });
}

function bodyHeaders({ contentType }: KubeRequest, body: string): OutgoingHttpHeaders {
  return {
    "Content-Type": contentType ?? "application/json",
    "Content-Length": Buffer.byteLength(body),
  };
}

/** Settles as `promise` does, or rejects with the reason of `signal` when that is aborted first. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(abortReason(signal));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** What a bad answer says. One that is cut says nothing, and its status counts all the same. */
async function readWords(
  request: KubeRequest,
  answer: IncomingMessage,
  signal: AbortSignal,
): Promise<string> {
  try {
    return await readBody(request, answer, signal);
  } catch (error) {
    if (!isKubeError(error, "CUT")) throw error;
    return "";
  }
}

/** Runs `work` with a signal that is aborted by `signal`, or when time is up before it is done. */
async function withDeadline<T>(
  clock: Clock,
  request: KubeRequest,
  signal: AbortSignal | undefined,
  work: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const onAbort = (): void => limit.abort(signal && abortReason(signal));
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = clock.setTimer(ANSWER_MS_MAX, () => {
    const message = `${requestWords(request)}: no answer within ${ANSWER_MS_MAX / 1000} s`;
    limit.abort(new KubeError({ code: "TIMEOUT", message }));
  });
  try {
    return await work(limit.signal);
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

function requestUrl(server: string, { path, query }: KubeRequest): URL {
  const url = new URL(`${server}${path}`);
  for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value);
  return url;
}

function parseAnswer(request: KubeRequest, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `${requestWords(request)}: the answer is no JSON`;
    throw new KubeError({ code: "SERVER", message, cause });
  }
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

// Plain requests to an API server, and streams of lines from it, as one user. Given the way to it.
// It knows nothing of what is asked, repeats nothing, and fails when there is no answer; a bad
// status is an answer.

import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request as startRequest, type RequestOptions } from "node:https";
import { assertNever } from "@fairlead/model";
import { labError } from "../lab-error.ts";
import { monotonicMs } from "../monotonic.ts";
import type { Credentials } from "./kubeconfig.ts";
import type { Way } from "./place.ts";

/** What is asked. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query. */
  readonly path: string;
  /** The body as text. Default: none. */
  readonly body?: string;
  /** Default: application/json. */
  readonly contentType?: string;
  /** Default: 10 000 ms. */
  readonly timeoutMs?: number;
}

/** What was answered. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

/** An answer that goes on, such as that of a watch. */
export interface ApiStream extends Disposable {
  readonly status: number;
  /** Settles when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
}

/** One user's connections to an API server. As many requests as wanted at a time. */
export interface ApiConnection extends Disposable {
  /** Rejects with code NO_ANSWER. */
  request(request: ApiRequest): Promise<ApiAnswer>;
  /**
   * Asks for an answer in lines, and tells each with the time of its arrival on the clock of
   * `monotonicMs`. Settles when the answer begins; no line of one with a bad status is told.
   */
  stream(path: string, onLine: (line: string, atMs: number) => void): Promise<ApiStream>;
}

/** Where to connect, and as whom. */
export interface ApiConnectionOptions {
  readonly way: Way;
  readonly caPem: string;
  /** A name in the server's certificate. */
  readonly serverName: string;
  readonly credentials: Credentials;
}

const TIMEOUT_MS_DEFAULT = 10_000;
const CONNECTIONS_MAX = 64;

/** Makes the connection, which begins with the first request. */
export function createApiConnection(options: ApiConnectionOptions): ApiConnection {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
  const base = { ...connectOptions(options), agent };
  const streams = new Set<ClientRequest>();
  return {
    request: async (asked) => {
      const { method, path, body, contentType = "application/json" } = asked;
      const headers = { ...base.headers, ...(body === undefined ? {} : typed(body, contentType)) };
      const signal = AbortSignal.timeout(asked.timeoutMs ?? TIMEOUT_MS_DEFAULT);
      const answer = await answerTo({ ...base, method, path, headers, signal }, body);
      const status = answer.statusCode ?? 0;
      return { status, text: await textOf(answer, `${method} ${path}`) };
    },
    stream: async (path, onLine) => {
      const answer = await answerTo({ ...base, path }, undefined, (request) => {
        streams.add(request);
        request.once("close", () => streams.delete(request));
      });
      const status = answer.statusCode ?? 0;
      return {
        status,
        ended: readLines(answer, status === 200 ? onLine : () => undefined),
        [Symbol.dispose]: () => void answer.destroy(),
      };
    },
    [Symbol.dispose]: () => {
      for (const stream of streams) stream.destroy();
      agent.destroy();
    },
  };
}

interface Base extends RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
}

function connectOptions(options: ApiConnectionOptions): Base {
  const { way, caPem, serverName, credentials } = options;
  const where = way.kind === "unix" ? { socketPath: way.path } : { host: way.host, port: way.port };
  const tls = { ca: caPem, servername: serverName };
  const common = { ...where, ...tls, headers: { accept: "application/json" } };
  switch (credentials.kind) {
    case "token":
      return {
        ...common,
        headers: { ...common.headers, authorization: `Bearer ${credentials.token}` },
      };
    case "certificate":
      return { ...common, cert: credentials.certificatePem, key: credentials.keyPem };
    case "token-file":
      throw new TypeError("a file of a host is no credential out here");
    case "none":
      return common;
    default:
      return assertNever(credentials, "unknown credentials");
  }
}

function typed(body: string, contentType: string): Readonly<Record<string, string>> {
  return { "content-type": contentType, "content-length": String(Buffer.byteLength(body)) };
}

function answerTo(
  options: RequestOptions,
  body: string | undefined,
  onStart: (request: ClientRequest) => void = () => undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = startRequest(options, resolve);
    onStart(request);
    request.on("error", (error) => reject(noAnswer(`${options.method} ${options.path}`, error)));
    request.end(body);
  });
}

async function textOf(answer: IncomingMessage, what: string): Promise<string> {
  try {
    let text = "";
    answer.setEncoding("utf8");
    for await (const chunk of answer) text += String(chunk);
    return text;
  } catch (error) {
    throw noAnswer(what, error);
  }
}

function readLines(
  answer: IncomingMessage,
  onLine: (line: string, atMs: number) => void,
): Promise<void> {
  let rest = "";
  answer.setEncoding("utf8");
  answer.on("data", (chunk: string) => {
    const atMs = monotonicMs();
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line, atMs);
  });
  // The end of a stream is told by "close" alone, however it came.
  answer.on("error", () => undefined);
  return new Promise((resolve) => {
    answer.once("close", () => resolve());
  });
}

function noAnswer(what: string, cause: unknown): Error {
  return labError("NO_ANSWER", `no answer to ${what}`, cause);
}

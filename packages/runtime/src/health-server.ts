// The small HTTP server for /metrics, /healthz and /readyz that every program has. Given the
// registry and two questions to ask. It reads no request bodies, answers GET and HEAD alone, and
// never lets a failing check take the program down.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import { describeError } from "./errors.ts";
import { escapeControls } from "./escape.ts";
import type { HostPort } from "./host-port.ts";
import { closeHttp, listenHttp } from "./http-listen.ts";
import { nodeHttp } from "./lean-modules.ts";

/** One thing that is checked. */
export interface HealthCheck {
  /** A short fixed word, such as "store". */
  readonly name: string;
  readonly ok: boolean;
  /** Why it is not well, or a remark; one line. */
  readonly detail?: string;
}

/** The answer to "is it well". */
export interface HealthReport {
  /** Decides the status: 200 or 503. */
  readonly ok: boolean;
  readonly detail: readonly HealthCheck[];
}

/** What the server serves, and where. */
export interface HealthServerOptions {
  /** Port 0 takes any free port. */
  readonly listen: HostPort;
  readonly registry: Registry;
  /** Asked at each /healthz: should a supervisor leave the program alone. */
  readonly health: () => HealthReport;
  /** Asked at each /readyz: is the program doing its work. */
  readonly ready: () => HealthReport;
}

/** A server that listens. Disposing closes it and every connection. */
export interface HealthServer extends AsyncDisposable {
  /** Where it really listens. */
  readonly address: HostPort;
}

const HEADER_BYTES_MAX = 8 * 1024;
const CONNECTIONS_MAX = 64;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** Starts the server. Rejects with EdgeError<ListenErrorCode> when it cannot listen. */
export async function createHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = nodeHttp.createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: HEADERS_TIMEOUT_MS,
    },
    (request, response) => void answer(options, request, response),
  );
  server.maxConnections = CONNECTIONS_MAX;
  const address = await listenHttp(server, options.listen, () => undefined);
  return {
    address,
    [Symbol.asyncDispose]: () => closeHttp(server),
  };
}

async function answer(
  options: HealthServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const reply = await replyTo(options, request);
    response.writeHead(reply.status, {
      "content-type": reply.type,
      "content-length": Buffer.byteLength(reply.body),
      "cache-control": "no-store",
      ...reply.headers,
    });
    response.end(request.method === "HEAD" ? undefined : reply.body);
  } catch (error) {
    if (!response.headersSent) response.writeHead(500, { "content-type": PLAIN });
    response.end(`${describeError(error)}\n`);
  }
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const PLAIN = "text/plain; charset=utf-8";

async function replyTo(options: HealthServerOptions, request: IncomingMessage): Promise<Reply> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    const headers = { allow: "GET, HEAD", connection: "close" };
    return { status: 405, type: PLAIN, body: "only GET and HEAD are answered\n", headers };
  }
  if (hasBody(request)) {
    const headers = { connection: "close" };
    return { status: 413, type: PLAIN, body: "a body is not taken\n", headers };
  }
  const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
  const asJson =
    query.includes("format=json") || (request.headers.accept ?? "").includes("application/json");
  switch (path) {
    case "/metrics": {
      const body = await options.registry.metrics();
      return { status: 200, type: options.registry.contentType, body };
    }
    case "/healthz":
      return replyWithReport(options.health(), asJson);
    case "/readyz":
      return replyWithReport(options.ready(), asJson);
    default:
      return { status: 404, type: PLAIN, body: "see /metrics, /healthz and /readyz\n" };
  }
}

function hasBody(request: IncomingMessage): boolean {
  const length = request.headers["content-length"];
  return request.headers["transfer-encoding"] !== undefined || (length ?? "0") !== "0";
}

function replyWithReport(report: HealthReport, asJson: boolean): Reply {
  const status = report.ok ? 200 : 503;
  if (!asJson) return { status, type: PLAIN, body: formatHealth(report) };
  return { status, type: "application/json", body: `${JSON.stringify(report)}\n` };
}

/** A report as text: one line a check, `[+]name ok` or `[-]name failed: why`, then the sum. */
export function formatHealth(report: HealthReport): string {
  const lines = report.detail.map((check) => {
    const detail = check.detail === undefined ? "" : `: ${escapeControls(check.detail)}`;
    return `[${check.ok ? "+" : "-"}]${check.name} ${check.ok ? "ok" : "failed"}${detail}`;
  });
  return `${[...lines, report.ok ? "ok" : "failed"].join("\n")}\n`;
}

// Stands between a controller and a real API server, whose name and key it has, and hands on what
// is asked and answered, but for the faults that its standard input tells it to make. It says what
// was asked and which fault met it; it asks nothing by itself, and it ends with its input.

import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as startRequest } from "node:https";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";

import { type Asked, type Fault, isMeant, type ProxyOrder, readAsked } from "./faults.ts";

/** As API servers keep connections that nobody uses. */
const IDLE_MS_MAX = 90_000;

const [folder = "", host = "", portFrom = "", portTo = ""] = process.argv.slice(2);
const file = (name: string): Buffer => readFileSync(`${folder}/${name}`);
const agent = new Agent({ keepAlive: true, ca: file("ca.crt"), servername: "kubernetes" });

/** A fault that is not lifted. */
interface Begun {
  readonly id: number;
  readonly fault: Fault;
  hits: number;
}

/** A watch that is open. */
interface OpenWatch {
  readonly asked: Asked;
  readonly response: ServerResponse;
  /** It broke off, and nothing more comes of it. */
  isCut: boolean;
}

const begun = new Map<number, Begun>();
const watches = new Set<OpenWatch>();

const server = createServer(
  { cert: file("server.crt"), key: file("server.key"), keepAliveTimeout: IDLE_MS_MAX },
  (request, response) => {
    response.on("error", () => undefined);
    answer(request, response).catch(() => response.destroy());
  },
);
server.listen(Number(portFrom), host, () => say("ready"));

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as ProxyOrder;
  if ("begin" in order) begin(order.id, order.begin);
  else lift(order.lift);
  say(`done ${order.id}`);
}
process.exit();

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function begin(id: number, fault: Fault): void {
  begun.set(id, { id, fault, hits: 0 });
  if (fault.do.kind === "answer" || fault.do.kind === "late") resetWatches(fault);
}

function lift(id: number): void {
  const fault = begun.get(id)?.fault;
  begun.delete(id);
  if (fault?.do.kind === "silence") resetWatches(fault);
}

function resetWatches(fault: Fault): void {
  for (const { asked, response } of watches) if (isMeant(fault, asked)) response.destroy();
}

/** The fault of these kinds that this meets, which is one less to be met. */
function meet(asked: Asked, ...kinds: readonly Fault["do"]["kind"][]): Begun | undefined {
  const met = [...begun.values()].find(
    ({ fault, hits }) =>
      kinds.includes(fault.do.kind) &&
      isMeant(fault, asked) &&
      hits < (fault.times ?? Number.POSITIVE_INFINITY),
  );
  if (met === undefined) return undefined;
  met.hits += 1;
  say(`met ${met.id}`);
  return met;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url = "/", headers } = request;
  const asked = readAsked({ method, url, accept: headers.accept ?? "" });
  const met = meet(asked, "answer", "late", "lack");
  say(`asked ${JSON.stringify({ ...asked, atMs: Date.now(), fault: met?.id })}`);
  const fault = met?.fault.do;
  if (fault?.kind === "answer") return refuse(response, fault);
  if (fault?.kind === "late") await wait(fault.ms);
  const answered = await forward(request, response);
  const isGood = answered.statusCode === 200;
  if (isGood && asked.verb === "watch") return followWatch(asked, answered, response);
  if (isGood && fault?.kind === "lack") return sendLacking(answered, response, fault.names);
  response.writeHead(answered.statusCode ?? 502, answered.headers);
  answered.pipe(response);
}

function refuse(response: ServerResponse, fault: Fault["do"] & { kind: "answer" }): void {
  const { status: code, message, retryAfterS } = fault;
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", message, code };
  const headers = retryAfterS === undefined ? {} : { "retry-after": String(retryAfterS) };
  response.writeHead(code, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** Asks the API server the same; resolves with the head of its answer. */
function forward(request: IncomingMessage, response: ServerResponse): Promise<IncomingMessage> {
  const { method, url, headers } = request;
  return new Promise((resolve, reject) => {
    const options = { host, port: Number(portTo), agent, method, path: url, headers };
    const call = startRequest(options, resolve);
    call.on("error", reject);
    response.on("close", () => call.destroy());
    request.pipe(call);
  });
}

function followWatch(asked: Asked, answered: IncomingMessage, response: ServerResponse): void {
  const open: OpenWatch = { asked, response, isCut: false };
  watches.add(open);
  response.on("close", () => watches.delete(open));
  response.writeHead(200, answered.headers).flushHeaders();
  let rest = "";
  answered.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) carry(open, line);
  });
  answered.on("error", () => response.destroy());
  answered.on("end", () => {
    if (!isSilent(asked)) response.end();
  });
}

function carry(open: OpenWatch, line: string): void {
  const { asked, response } = open;
  if (open.isCut || isSilent(asked)) return;
  open.isCut = meet(asked, "cut") !== undefined;
  if (open.isCut) response.write(line.slice(0, line.length / 2), () => response.destroy());
  else response.write(`${line}\n`);
}

function isSilent(asked: Asked): boolean {
  return [...begun.values()].some(
    ({ fault }) => fault.do.kind === "silence" && isMeant(fault, asked),
  );
}

interface List {
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

async function sendLacking(
  answered: IncomingMessage,
  response: ServerResponse,
  names?: readonly string[],
): Promise<void> {
  const list = JSON.parse(await text(answered)) as List;
  const items = list.items.filter(({ metadata }) => names?.includes(metadata.name) === false);
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ ...list, items }));
}

// One answer of the stub on its connection: whole, as lines that come one by one, or broken off on
// purpose. Given the response of node. It knows nothing of objects.

import type { ServerResponse } from "node:http";

import type { StubAnswer } from "./status-answers.ts";
import type { WatchSink } from "./stub-watches.ts";

/** Where an answer breaks off. */
export type CutPoint = "line" | { readonly afterBytes: number };

/** An answer that goes on in lines. */
export interface LineSink extends WatchSink {
  /** Calls it when the connection or the answer is gone. */
  onClose(run: () => void): void;
}

const JSON_TYPE = "application/json";

/** Answers all at once. */
export function sendAnswer(response: ServerResponse, { status, body, headers }: StubAnswer): void {
  sendText(response, { status, text: JSON.stringify(body), headers });
}

/** Text of some type, with its status. */
export interface TextAnswer {
  readonly status: number;
  readonly text: string;
  /** Default: application/json. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Answers with text. */
export function sendText(response: ServerResponse, answer: TextAnswer): void {
  writeHead(response, answer);
  response.end(answer.text);
}

/** Promises the whole answer and ends the connection in the middle of it. */
export function sendCut(
  response: ServerResponse,
  { status, body }: StubAnswer,
  at: CutPoint,
): void {
  const text = JSON.stringify(body);
  writeHead(response, { status, text });
  const bytes = Buffer.from(text);
  const length = at === "line" ? Math.floor(bytes.length / 2) : at.afterBytes;
  response.write(bytes.subarray(0, length), () => hangUp(response));
}

function writeHead(response: ServerResponse, answer: TextAnswer): void {
  response.writeHead(answer.status, {
    "Content-Type": answer.type ?? JSON_TYPE,
    "Content-Length": Buffer.byteLength(answer.text),
    ...answer.headers,
  });
}

/** Ends the connection without a word. */
export function hangUp(response: ServerResponse): void {
  response.socket?.destroy();
}

/** Answers 200, and opens the stream of lines. */
export function openLines(response: ServerResponse): LineSink {
  response.writeHead(200, { "Content-Type": JSON_TYPE });
  response.flushHeaders();
  return {
    line: (text) => void response.write(`${text}\n`),
    end: () => void response.end(),
    onClose: (run) => void response.once("close", run),
    cut: (isMidLine) => {
      if (!isMidLine) return hangUp(response);
      response.write('{"type":"MODIFIED","object":{"kind":"Ser', () => hangUp(response));
    },
  };
}

/** Lines of which the first, or those up to so many bytes, break off. */
export function cutLines(response: ServerResponse, at: CutPoint): LineSink {
  const sink = openLines(response);
  let left = at === "line" ? Number.NaN : at.afterBytes;
  let isCut = false;
  return {
    ...sink,
    line: (text) => {
      if (isCut) return;
      const bytes = Buffer.from(`${text}\n`);
      if (Number.isNaN(left)) left = Math.floor(bytes.length / 2);
      isCut = bytes.length > left;
      response.write(bytes.subarray(0, left), () => isCut && hangUp(response));
      left -= bytes.length;
    },
  };
}

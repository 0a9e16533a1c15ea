// The body of an answer: whole as text, or line by line as it comes. Given the head of the answer.
// Both are bounded, and an end in the middle is an error and never a short answer.

import type { IncomingMessage } from "node:http";
import { StringDecoder } from "node:string_decoder";

import { abortReason } from "@fairlead/runtime";

import type { KubeRequest } from "./kube-client.ts";
import { KubeError, requestWords } from "./kube-errors.ts";

/** Largest answer: a page of 500 objects of the size limit of etcd would not be read at once. */
const BODY_BYTES_MAX = 256 * 1024 * 1024;
/** Longest line of a watch: etcd keeps objects below 1.5 MiB, and JSON may escape every byte. */
const LINE_CHARACTERS_MAX = 16 * 1024 * 1024;

/** The whole body as text. Rejects with a KubeError, or the reason of `signal`. */
export async function readBody(
  request: KubeRequest,
  answer: IncomingMessage,
  signal: AbortSignal,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  await consume(request, answer, signal, (chunk) => {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw tooLarge(request);
    chunks.push(chunk);
  });
  return Buffer.concat(chunks).toString("utf8");
}

/** Hands on each line that is not empty, until the answer ends. */
export async function readLines(
  request: KubeRequest,
  answer: IncomingMessage,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new StringDecoder("utf8");
  // The pieces of a line that has not ended: a long one is put together once, and not anew with
  // each of its pieces.
  let pieces: string[] = [];
  let size = 0;
  const take = (piece: string): void => {
    pieces.push(piece);
    size += piece.length;
    if (size > LINE_CHARACTERS_MAX) throw tooLarge(request);
  };
  await consume(request, answer, signal, (chunk) => {
    const text = decoder.write(chunk);
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      take(text.slice(from, at));
      const line = pieces.join("");
      pieces = [];
      size = 0;
      from = at + 1;
      if (line.trim() !== "") onLine(line);
      // Who listens gave up at this line, and wants none of those that came with it.
      if (signal.aborted) return;
    }
    take(text.slice(from));
  });
  take(decoder.end());
  if (pieces.join("").trim() === "") return;
  const message = `${requestWords(request)}: the answer ended in the middle of a line`;
  throw new KubeError({ code: "CUT", message });
}

/** Reads to the end. Whatever goes wrong, the answer is closed then. */
function consume(
  request: KubeRequest,
  answer: IncomingMessage,
  signal: AbortSignal,
  onChunk: (chunk: Buffer) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => fail(abortReason(signal));
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (error: unknown): void => {
      settle();
      reject(error instanceof Error ? error : new Error(String(error)));
      answer.destroy();
    };
    if (signal.aborted) return onAbort();
    if (answer.destroyed) return fail(cutShort(request));
    signal.addEventListener("abort", onAbort, { once: true });
    answer.on("data", (chunk: Buffer) => {
      try {
        onChunk(chunk);
      } catch (error) {
        fail(error);
      }
    });
    answer.on("end", () => {
      settle();
      if (answer.complete) return resolve();
      fail(cutShort(request));
    });
    answer.on("error", (error) => fail(cutShort(request, error)));
    answer.on("close", () => {
      // Every answer closes; without an end or an error the connection went while nobody spoke.
      if (!isSettled) fail(cutShort(request));
    });
  });
}

function cutShort(request: KubeRequest, cause?: unknown): KubeError {
  const message = `${requestWords(request)}: the connection ended in the middle of the answer`;
  return new KubeError({ code: "CUT", message, cause });
}

function tooLarge(request: KubeRequest): KubeError {
  const message = `${requestWords(request)}: the answer is larger than is read`;
  return new KubeError({ code: "SERVER", message });
}

// Reads the body of a request: JSON alone, of bounded size, or nothing. Given a request whose head
// was read. What is too large is not read to its end.

import type { IncomingMessage } from "node:http";

import { type Problem, badRequest } from "./problem.ts";

/** A body that was read, or what is wrong with it. `aborted`: nobody waits for an answer. */
export type Body =
  | { readonly kind: "body"; readonly value: unknown }
  | { readonly kind: "problem"; readonly problem: Problem }
  | { readonly kind: "aborted" };

/** Reads it. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Body> {
  if (!hasBody(request)) return { kind: "body", value: undefined };
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
  // A web page may send other types anywhere without being asked; this one it may not.
  if (type !== "application/json") return { kind: "problem", problem: notJson(type) };
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) return tooLarge(bytesMax);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) return tooLarge(bytesMax);
      chunks.push(chunk);
    }
  } catch {
    return { kind: "aborted" };
  }
  return parse(Buffer.concat(chunks));
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

function parse(bytes: Buffer): Body {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { kind: "body", value: JSON.parse(text) };
  } catch {
    return { kind: "problem", problem: badRequest("the body is no JSON in UTF-8") };
  }
}

function notJson(type: string | undefined): Problem {
  return {
    status: 415,
    code: "NotJson",
    what: "the body is of another kind",
    why: `content-type is ${JSON.stringify((type ?? "").slice(0, TYPE_CHARACTERS_MAX))}`,
    todo: "send JSON, with content-type: application/json",
  };
}

const TYPE_CHARACTERS_MAX = 80;

function tooLarge(bytesMax: number): Body {
  const problem: Problem = {
    status: 413,
    code: "BodyTooLarge",
    what: "the body is too large",
    why: `this route reads ${bytesMax} bytes`,
    todo: "send less at once",
  };
  return { kind: "problem", problem };
}

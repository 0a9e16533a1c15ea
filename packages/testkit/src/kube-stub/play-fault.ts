// Plays a fault on the connection of one request. Given what the request would be answered without
// it. Whatever does not fit the request, such as a silent watch where a list is asked for, is a
// bug of the test.

import type { ServerResponse } from "node:http";

import { assertNever } from "@fairlead/model";

import { statusBody } from "./status-answers.ts";
import type { FaultDo } from "./stub-faults.ts";
import {
  cutLines,
  hangUp,
  type LineSink,
  openLines,
  sendAnswer,
  sendCut,
  sendText,
} from "./stub-response.ts";
import { errorLine } from "./stub-watches.ts";
import type { StubAnswer } from "./status-answers.ts";

/** What the request would get. */
export type Usual =
  | { readonly kind: "whole"; answer(): StubAnswer }
  | { readonly kind: "lines"; follow(sink: LineSink): void };

/** Faults that are played on the connection; the others change what is answered. */
export type ConnectionFault = Exclude<
  FaultDo,
  { readonly kind: "delay" | "empty-list" | "serve-snapshot" }
>;

const LONG_LINE_BYTES = 20_000_000;
const GARBAGE = "this is no JSON {";

/** Plays it; the request is done with. */
export function playFault(response: ServerResponse, fault: ConnectionFault, usual: Usual): void {
  switch (fault.kind) {
    case "answer":
      return sendAnswer(response, failure(fault));
    case "html": {
      const text = `<html><body><h1>${fault.status} Bad Gateway</h1></body></html>\n`;
      return sendText(response, { status: fault.status, text, type: "text/html" });
    }
    case "hang":
      return;
    case "cut":
      return cut(response, fault.where, usual);
    case "garbage":
      if (usual.kind === "whole") return sendText(response, { status: 200, text: GARBAGE });
      return openLines(response).line(GARBAGE);
    case "silence":
      return void linesOf(response, usual);
    case "long-line": {
      const sink = linesOf(response, usual);
      const annotations = { long: "x".repeat(fault.bytes ?? LONG_LINE_BYTES) };
      return sink.line(JSON.stringify({ type: "ADDED", object: { metadata: { annotations } } }));
    }
    case "error-event": {
      const sink = linesOf(response, usual);
      const { code, message = "an error in the stream" } = fault;
      sink.line(errorLine(statusBody({ code, message })));
      return sink.end();
    }
    default:
      return assertNever(fault, "a fault of no kind");
  }
}

function failure(fault: FaultDo & { readonly kind: "answer" }): StubAnswer {
  const { status, retryAfterS, message = `the server says ${status}` } = fault;
  const headers = retryAfterS === undefined ? {} : { "Retry-After": String(retryAfterS) };
  return { status, body: statusBody({ code: status, message }), headers };
}

function cut(
  response: ServerResponse,
  where: (FaultDo & { readonly kind: "cut" })["where"],
  usual: Usual,
): void {
  if (where === "head") return hangUp(response);
  if (usual.kind === "whole") return sendCut(response, usual.answer(), where);
  usual.follow(cutLines(response, where));
}

function linesOf(response: ServerResponse, usual: Usual): LineSink {
  if (usual.kind === "lines") return openLines(response);
  throw new TypeError("this fault is for watches");
}

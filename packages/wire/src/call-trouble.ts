// Why a call over gRPC came to nothing, in words for people. Given what grpc-js threw, whose own
// words carry class names, dates and empty notes: they are shown only as far as they help. Pure.

import { type ServiceError, status } from "@grpc/grpc-js";

/** How a call failed, as far as that matters to whoever called. */
export type CallTrouble =
  /** Nobody answered in time, or nobody could be reached. */
  | { readonly kind: "silent"; readonly why: string }
  /** Somebody answers there, who does not know this question. */
  | { readonly kind: "somebody-else"; readonly why: string }
  /** The right one answered, with an error. */
  | { readonly kind: "answered"; readonly why: string };

/** An attempt to connect as grpc-js tells it; the part in the middle is the kernel's word. */
const LAST_ERROR =
  /Last error: (?:[\w ]*Error(?: \[\w+\])?: )?(.*?)\.?(?: Resolution note: .*)?$/su;

/** Reads an error of grpc-js; null is a call that ended without an answer. */
export function callTrouble(error: Pick<ServiceError, "code" | "details"> | null): CallTrouble {
  if (error === null) return { kind: "answered", why: "nothing" };
  const { code, details } = error;
  switch (code) {
    case status.UNAVAILABLE:
      return unreached(details);
    case status.DEADLINE_EXCEEDED:
      return { kind: "silent", why: lateWords(details) };
    case status.CANCELLED:
      return { kind: "silent", why: "no answer in time" };
    case status.UNIMPLEMENTED:
      return { kind: "somebody-else", why: "what answers there does not know this question" };
    default:
      return { kind: "answered", why: details };
  }
}

function unreached(details: string): CallTrouble {
  const why = LAST_ERROR.exec(details)?.[1] ?? details;
  if (why.startsWith("Protocol error") || why.startsWith("Parse Error")) {
    return { kind: "somebody-else", why: "what answers there does not speak gRPC" };
  }
  const isName = details.startsWith("Name resolution failed");
  return { kind: "silent", why: isName ? "there is no host of that name" : why };
}

function lateWords(details: string): string {
  if (details.includes("name resolution")) return "nobody resolved the host's name in time";
  return details.includes("Waiting for LB pick") ? "no connection in time" : "no answer in time";
}

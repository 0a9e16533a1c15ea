// Answers unary calls by a function. Given the function and whom to tell when it fails: that is a
// bug of ours, so the caller hears INTERNAL, and the other calls go on. One that cannot be answered
// yet is none.

import { type handleUnaryCall, status } from "@grpc/grpc-js";

/** What answers a question that cannot be answered yet: callers hear FAILED_PRECONDITION. */
export class NotReadyError extends Error {
  override readonly name = "NotReadyError";
}

/**
 * Makes a handler for a table of `serviceDefinition`.
 * @param ask answers one request; what it throws is no answer: a `NotReadyError`, or a bug.
 * @param onFailed told what was thrown; gives the words that the caller hears.
 */
export function unaryHandler<Request, Response>(
  ask: (request: Request) => Response | Promise<Response>,
  onFailed: (error: unknown) => string,
): handleUnaryCall<Request, Response> {
  return ({ request }, respond) => {
    const asked = async (): Promise<Response> => ask(request);
    asked().then(
      (response) => respond(null, response),
      (error: unknown) => {
        if (error instanceof NotReadyError) {
          respond({ code: status.FAILED_PRECONDITION, details: error.message });
        } else respond({ code: status.INTERNAL, details: onFailed(error) });
      },
    );
  };
}

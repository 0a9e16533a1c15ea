// Binds a gRPC server to a place and ends it again. Given the server with its services. The one
// place that reads grpc-js's words about listening, so that programs can map them to their errors.

import { logVerbosity, type Server, setLogVerbosity } from "@grpc/grpc-js";
import { type Credentials, serverCredentials } from "./grpc-options.ts";

/** What grpc-js tells in its message alone, as "... errors: [listen EADDRINUSE: ...]". */
const LISTEN_ERRNO = /\blisten (E[A-Z]+): [^\],]*/u;

/** How long callers have to take what was said to them last, in ms. */
const LAST_WORDS_MS = 200;
/** How long those that live take to be cut, in ms. */
const CUT_MS = 500;

/**
 * Binds and serves `at`, "HOST:PORT". Resolves with the port. Rejects with an error that has the
 * errno's name as `code`, as Node's own servers do.
 */
export function bindServer(server: Server, at: string, credentials: Credentials): Promise<number> {
  // It would print its errors as well, between log records; they reach us as errors.
  setLogVerbosity(logVerbosity.NONE);
  return new Promise((resolve, reject) => {
    server.bindAsync(at, serverCredentials(credentials), (error, port) => {
      if (error === null) resolve(port);
      else reject(withErrno(error));
    });
  });
}

/**
 * Ends a server: calls under way get a moment to hear their status, then everything is cut. A
 * connection whose other end is gone without a word is not waited for; it ends with the process.
 */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    let gone: NodeJS.Timeout | undefined;
    // Streams whose end nobody said, and callers that read nothing, have no end of their own.
    const cut = setTimeout(() => {
      server.forceShutdown();
      gone = setTimeout(resolve, CUT_MS);
    }, LAST_WORDS_MS);
    server.tryShutdown(() => {
      clearTimeout(cut);
      clearTimeout(gone);
      resolve();
    });
  });
}

function withErrno(error: Error): Error {
  const [message, code] = LISTEN_ERRNO.exec(error.message) ?? [];
  return code === undefined ? error : Object.assign(new Error(message), { code });
}

// The errors of this package, made in one place. Given words only: no message ever holds a token, a
// key, a password or a line of a file, and no error carries a cause that might.

import { EdgeError, escapeBounded } from "@fairlead/runtime";

/** Why an apiserver cannot be reached with what is configured. */
export type KubeAccessErrorCode =
  /** A file that is named does not exist. */
  | "NOT_FOUND"
  /** A file cannot be read: a folder, too large, no permission. */
  | "UNREADABLE"
  /** Something is there and makes no sense. */
  | "MALFORMED"
  /** The context that was asked for does not exist, or none was asked for. */
  | "NO_CONTEXT"
  /** No kubeconfig was given, and this is no pod with a service account. */
  | "NOT_IN_CLUSTER"
  /** Credentials are not to be had, or have expired. */
  | "CREDENTIALS";

/** An error of this package. */
export type KubeAccessError = EdgeError<KubeAccessErrorCode>;

const MESSAGE_CHARACTERS_MAX = 600;

/** Makes an error. `retryable`: whether it may pass with nothing changed by people. */
export function accessError(
  code: KubeAccessErrorCode,
  message: string,
  retryable = false,
): KubeAccessError {
  return new EdgeError({
    code,
    message: escapeBounded(message, MESSAGE_CHARACTERS_MAX),
    retryable,
  });
}

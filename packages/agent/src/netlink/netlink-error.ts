// The one place that turns what netlink raises into errors of ours. The package gives plain errors
// whose text names the kernel's code, so the text is what is read.

import { EdgeError, describeError } from "@fairlead/runtime";

/** Why the kernel's links and addresses could not be read or changed. */
export type KernelErrorCode =
  /** The agent lacks NET_ADMIN. */
  | "PERMISSION"
  /** The kernel did not answer in time. */
  | "DEADLINE"
  /** More removals wait than are ever needed. */
  | "BUSY"
  /** The device does not exist. */
  | "NO_DEVICE"
  /** The address is not there. */
  | "NO_ADDRESS"
  /** The native module cannot be loaded on this machine. */
  | "NOT_AVAILABLE"
  /** Anything else. */
  | "NETLINK";

const CODES: ReadonlyMap<string, KernelErrorCode> = new Map<string, KernelErrorCode>([
  ["EPERM", "PERMISSION"],
  ["EACCES", "PERMISSION"],
  ["ENODEV", "NO_DEVICE"],
  ["ENXIO", "NO_DEVICE"],
  ["EADDRNOTAVAIL", "NO_ADDRESS"],
]);

/** Maps an error of the package; `operation` is the start of the message. */
export function kernelError(error: unknown, operation: string): EdgeError<KernelErrorCode> {
  if (error instanceof EdgeError) return error as EdgeError<KernelErrorCode>;
  const text = describeError(error);
  const name = /\bE[A-Z0-9]+\b/.exec(text)?.[0] ?? "";
  const code = text.startsWith("Timeout") ? "DEADLINE" : (CODES.get(name) ?? "NETLINK");
  return new EdgeError({
    code,
    message: `${operation}: ${text}`,
    retryable: code === "DEADLINE" || code === "NETLINK",
    cause: error,
  });
}

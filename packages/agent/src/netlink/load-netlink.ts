// The one import of the netlink package, which has a native part. It aborts the whole process when
// a receive buffer overflows: whoever opens a socket gives it a large one and bounds its requests.

import type * as Netlink from "netlink";
import { EdgeError } from "@fairlead/runtime";
import type { KernelErrorCode } from "./netlink-error.ts";

/** Loads the package. Rejects with EdgeError "NOT_AVAILABLE" where it has no native part. */
export async function loadNetlink(): Promise<typeof Netlink> {
  try {
    return await import("netlink");
  } catch (error) {
    throw new EdgeError<KernelErrorCode>({
      code: "NOT_AVAILABLE",
      message: "the netlink module cannot be loaded",
      retryable: false,
      cause: error,
    });
  }
}

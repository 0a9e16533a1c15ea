// The input guard of a host that has no nft: it guards nothing, and says so.

import type { InputGuard } from "../ports.ts";

/** Makes it. */
export function createNoGuard(): InputGuard {
  return {
    guard: () => Promise.resolve(),
    trouble: () => ({ reason: "InputUnguarded", detail: "nft is not installed" }),
    remove: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

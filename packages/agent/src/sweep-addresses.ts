// Takes addresses off the host. One that stays keeps no other there: each of them may be another
// host's by now. Given the kernel.

import type { Kernel, KernelAddress } from "./ports.ts";

/** Removes all of them. Rejects with the first error, after each was tried. */
export async function sweepAddresses(
  kernel: Pick<Kernel, "removeAddress">,
  addresses: readonly KernelAddress[],
): Promise<void> {
  const errors: unknown[] = [];
  for (const address of addresses) {
    await kernel.removeAddress(address).catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw errors[0];
}

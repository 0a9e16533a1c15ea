// What becomes of the addresses that the agent added itself when it ends: they go, or they stay for
// good. Given the ledger and the kernel, when no loop puts them back any more.

import { assertNever } from "@fairlead/model";
import { type Logger, describeError } from "@fairlead/runtime";

import type { Kernel, KernelAddress, Ledger, LedgerEntry } from "./ports.ts";

/**
 * `keep-alive`: they stay until their lifetime ends, for an agent that comes back. `remove`: they
 * go now. `keep`: they stay for ever.
 */
export type LeavePolicy = "keep-alive" | "remove" | "keep";

/** What leaving needs. */
export interface LeaveOptions {
  readonly kernel: Kernel;
  readonly ledger: Ledger;
  readonly log: Logger;
  readonly policy: LeavePolicy;
}

/** Leaves the addresses as the policy says. Never rejects: each is left by itself. */
export async function leaveAddresses(options: LeaveOptions): Promise<void> {
  const { kernel, ledger, log, policy } = options;
  if (policy === "keep-alive") return;
  const complain = (error: unknown): void => {
    log.warn({ error: describeError(error) }, "addresses of this host could not be left as asked");
  };
  try {
    const entries = await ledger.load();
    const { addresses } = await kernel.view();
    const left = new Set<LedgerEntry>();
    for (const entry of entries.filter(({ added }) => added === true)) {
      const here = addresses.find(
        ({ address, link }) => address === entry.address && link === entry.link,
      );
      if (here === undefined) continue;
      if (policy === "keep") left.add(entry);
      try {
        await leaveOne(kernel, here, policy);
      } catch (error) {
        left.add(entry);
        complain(error);
      }
    }
    await ledger.save(entries.filter((entry) => entry.added !== true || left.has(entry)));
  } catch (error) {
    complain(error);
  }
}

async function leaveOne(
  kernel: Kernel,
  here: KernelAddress,
  policy: Exclude<LeavePolicy, "keep-alive">,
): Promise<void> {
  const { address, link, prefixLength } = here;
  if (policy === "remove") await kernel.removeAddress(here);
  else if (policy === "keep") await kernel.putAddress({ address, link, prefixLength });
  else assertNever(policy, "policy");
}

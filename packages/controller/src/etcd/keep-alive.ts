// One renewal of a lease of etcd. Given one member's client. The package's own keeping alive is not
// used: it reports a lost lease only after twice its time, by the wall clock.

import type { Etcd3, ILeaseKeepAliveResponse } from "etcd3";

import { makeEtcdError } from "./etcd-errors.ts";
import type { CallLimits } from "./list-prefix.ts";

/** Asks once and waits for the answer. Rejects with LEASE_GONE when the lease has ended. */
export async function askToKeep(etcd: Etcd3, lease: string, how: CallLimits): Promise<void> {
  const stream = await etcd.leaseClient.leaseKeepAlive(how);
  const { promise, resolve, reject } = Promise.withResolvers<ILeaseKeepAliveResponse>();
  stream.on("error", reject);
  stream.on("data", resolve);
  stream.write({ ID: lease });
  try {
    const { TTL: left } = await promise;
    if (BigInt(left) > 0n) return;
    const message = `the lease ${lease} of etcd is gone`;
    throw makeEtcdError({ code: "LEASE_GONE", message });
  } finally {
    stream.end();
  }
}

// A client that writes only while its owner may: one that lost the lead, or hung until it was over,
// finds its writes refused here, after everything that they had to wait for. Given who may say so.

import type { EtcdClient } from "./etcd-client.ts";
import { makeEtcdError } from "./etcd-errors.ts";

/** Guards a client; reads go through. `mayWrite` is asked before each try. */
export function guardEtcdWrites(client: EtcdClient, mayWrite: () => boolean): EtcdClient {
  const check = (): void => {
    if (mayWrite()) return;
    const message = `not written to ${client.name}, as this controller does not lead`;
    throw makeEtcdError({ code: "NOT_LEADING", message });
  };
  return {
    ...client,
    transact: (transaction) => client.transact({ ...transaction, beforeSending: check }),
  };
}

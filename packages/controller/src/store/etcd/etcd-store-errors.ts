// What a request to etcd says to a store that is in it, by the codes of stores. Given what was
// caught; what the store itself raised stays as it is.

import { type EtcdErrorCode, etcdError } from "../../etcd/etcd-errors.ts";
import { makeStoreError, type StoreErrorCode } from "../store-error.ts";

const BY_CODE: Readonly<Record<EtcdErrorCode, StoreErrorCode>> = {
  UNREACHABLE: "UNREACHABLE",
  TIMEOUT: "TIMEOUT",
  FORBIDDEN: "FORBIDDEN",
  NO_SPACE: "NO_SPACE",
  COMPACTED: "IO",
  LEASE_GONE: "IO",
  INVALID: "IO",
  NOT_LEADING: "CONFLICT",
  CLOSED: "CLOSED",
  SERVER: "IO",
};

/** The store's error of whatever a request to etcd raised. */
export function etcdStoreError(error: unknown): Error {
  const { code, message, cause } = etcdError(error, "cannot use the store in etcd");
  const own = BY_CODE[code];
  // What this folder raised has a code of stores already.
  return own === undefined ? (error as Error) : makeStoreError({ code: own, message, cause });
}

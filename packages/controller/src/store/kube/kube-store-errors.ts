// What an API server says to the store, by the codes of stores. Given what was caught and what was
// being done.

import { type EdgeError, describeError, isEdgeError } from "@fairlead/runtime";

import { type KubeErrorCode, isKubeError } from "../../kube/kube-errors.ts";
import { type StoreErrorCode, makeStoreError } from "../store-error.ts";

const CODES: Readonly<Record<KubeErrorCode, StoreErrorCode>> = {
  UNREACHABLE: "UNREACHABLE",
  TIMEOUT: "TIMEOUT",
  CUT: "TIMEOUT",
  UNTRUSTED: "UNREACHABLE",
  UNAUTHORIZED: "FORBIDDEN",
  FORBIDDEN: "FORBIDDEN",
  NOT_FOUND: "IO",
  CONFLICT: "CONFLICT",
  GONE: "IO",
  INVALID: "IO",
  THROTTLED: "BUSY",
  SERVER: "IO",
  NOT_LEADING: "CONFLICT",
};

const KINDS_ARE_MISSING =
  "the kinds of the store are most likely not there: kubectl apply -f deploy/crds/store.yaml";

/** Maps what was raised while `operation`, a phrase such as `cannot write the store`. */
export function kubeStoreError(error: unknown, operation: string): EdgeError<StoreErrorCode> {
  if (!isKubeError(error) && isEdgeError<StoreErrorCode>(error)) return error;
  const code = isKubeError(error) ? CODES[error.code] : "IO";
  const isKindMissing = isKubeError(error, "NOT_FOUND");
  const hint = isKindMissing ? `; ${KINDS_ARE_MISSING}` : "";
  const message = `${operation}: ${describeError(error)}${hint}`;
  return makeStoreError({ code, message, cause: error });
}

/** What those are told who still wait when the store of the IPAM ends, and who come later. */
export function ipamClosedError(): EdgeError<StoreErrorCode> {
  return makeStoreError({ code: "CLOSED", message: "the IPAM store of the cluster is closed" });
}

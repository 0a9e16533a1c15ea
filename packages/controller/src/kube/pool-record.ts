// What is known of an AddressPool of a cluster besides the pool that it is: what its status says,
// and which version of it that was. The source keeps the records and the publisher writes by them;
// neither knows the other.

import type { AddressPool, Remark } from "@fairlead/model";

/** An AddressPool as it was seen last. */
export interface PoolRecord {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** The pool that it declares, or why it declares none. */
  readonly reading:
    | { readonly kind: "pool"; readonly pool: AddressPool }
    | { readonly kind: "bad"; readonly problem: Remark };
  /** Its status as the server has it: whoever writes it compares it whole. */
  readonly status: unknown;
}

/** All AddressPools as they were seen last. */
export interface PoolRecords {
  all(): Iterable<PoolRecord>;
  /** Called when any was seen anew or went. The returned function ends that. */
  subscribe(onChange: () => void): () => void;
}

/** Where AddressPools are served. */
export const POOLS_PATH = "/apis/fairlead.io/v1alpha1/addresspools";

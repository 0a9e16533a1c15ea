// One transaction of etcd in our words. Given the client of one member. It happens whole or not,
// and says what stands in the keys that were to be looked at when its conditions did not hold.

import type { ICompare, IRequestOp, KVClient } from "etcd3";

import type { CallLimits } from "./list-prefix.ts";
import { loadEtcd3 } from "./load-etcd3.ts";

/** etcd's own limit of conditions, and of operations, of one transaction (--max-txn-ops). */
export const TRANSACTION_OPERATIONS_MAX = 128;

/** What has to be so. */
export type EtcdCondition =
  | { readonly kind: "holds"; readonly key: string; readonly value: string }
  | { readonly kind: "absent"; readonly key: string };

/** What is done with a key; no value: it is deleted. No key may be named twice. */
export interface EtcdChange {
  readonly key: string;
  readonly value: string | undefined;
  /** The lease that it ends with; absent: it stays. */
  readonly lease?: string;
}

/** A transaction. */
export interface EtcdTransaction {
  readonly conditions: readonly EtcdCondition[];
  readonly changes: readonly EtcdChange[];
  /** Called right before each try goes out; what it throws is the try's end. */
  readonly beforeSending?: () => void;
}

/** `unmet`: nothing was changed; the keys of the conditions as they are, those that are there. */
export type EtcdTransactionResult =
  | { readonly kind: "done"; readonly revision: bigint }
  | { readonly kind: "unmet"; readonly found: ReadonlyMap<string, string> };

/** Runs it once. */
export async function runTransaction(
  kv: KVClient,
  { conditions, changes, beforeSending }: EtcdTransaction,
  how: CallLimits,
): Promise<EtcdTransactionResult> {
  beforeSending?.();
  const answer = await kv.txn(
    {
      compare: conditions.map(toCompare),
      success: changes.map(toOperation),
      failure: conditions.map(({ key }) => ({ request_range: { key: Buffer.from(key) } })),
    },
    how,
  );
  if (answer.succeeded) return { kind: "done", revision: BigInt(answer.header.revision) };
  const found = new Map<string, string>();
  for (const { response_range: range } of answer.responses) {
    for (const { key, value } of range.kvs) found.set(key.toString("utf8"), value.toString("utf8"));
  }
  return { kind: "unmet", found };
}

function toCompare(condition: EtcdCondition): ICompare {
  const { CompareResult, CompareTarget } = loadEtcd3();
  const key = Buffer.from(condition.key);
  return condition.kind === "absent"
    ? { key, target: CompareTarget.Create, result: CompareResult.Equal, create_revision: 0 }
    : {
        key,
        target: CompareTarget.Value,
        result: CompareResult.Equal,
        value: Buffer.from(condition.value),
      };
}

function toOperation({ key: name, value, lease }: EtcdChange): IRequestOp {
  const key = Buffer.from(name);
  if (value === undefined) return { request_delete_range: { key } };
  return {
    request_put: { key, value: Buffer.from(value), ...(lease === undefined ? {} : { lease }) },
  };
}

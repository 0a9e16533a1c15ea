// What is said of an etcd that is slow: the same trouble in the same words at every try, as what is
// found is told again when its words change.

import assert from "node:assert/strict";
import { test } from "node:test";

import { describeError } from "@fairlead/runtime";

import { etcdStoreError } from "../store/etcd/etcd-store-errors.ts";
import { type EtcdError, etcdError, membersError } from "./etcd-errors.ts";
import { loadEtcd3 } from "./load-etcd3.ts";

const ONE = "http://10.0.0.1:2379";
const OTHER = "http://10.0.0.2:2379";

/** In the words of grpc-js. */
function late(afterS: number): EtcdError {
  const { GRPCDeadlineExceededError } = loadEtcd3();
  const where = `LB pick: 0.00${afterS}s,remote_addr=10.0.0.1:2379`;
  const said = `4 DEADLINE_EXCEEDED: Deadline exceeded after ${afterS}s,${where}`;
  return etcdError(new GRPCDeadlineExceededError(said), `cannot write etcd at ${ONE}, ${OTHER}`);
}

test("members that answer too late are told once, whoever was asked first and for how long", () => {
  const first = new Map([ONE, OTHER].map((url) => [url, late(1)]));
  const second = new Map([OTHER, ONE].map((url) => [url, late(2)]));
  const told = [first, second].map((failed) => {
    return describeError(etcdStoreError(membersError(late(failed.size), failed)));
  });
  const each = `${ONE}: no answer in time; ${OTHER}: no answer in time`;
  const whole = `cannot write etcd at ${ONE}, ${OTHER}: no answer in time: ${each}`;
  assert.deepEqual(told, [whole, whole]);
});

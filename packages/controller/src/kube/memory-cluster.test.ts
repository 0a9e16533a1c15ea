// The cluster in memory does with our writes what a real API server does: the publisher's tests say
// no more than it.

import { createFakeClock } from "@fairlead/runtime";
import {
  type HandWritten,
  type NamespaceStage,
  testNamespaceContract,
  testWriteContract,
} from "@fairlead/testkit";

import type { KubeClient } from "./kube-client.ts";
import { MemoryCluster } from "./memory-cluster.ts";
import { lackOfRight } from "./memory-refusals.ts";
import type { MemoryService } from "./memory-service.ts";
import { textOf } from "./object-fields.ts";

testWriteContract("a cluster in memory", () => Promise.resolve(makeStage()));

testNamespaceContract("a cluster in memory", () => Promise.resolve(makeStage()));

function makeStage(): NamespaceStage {
  const clock = createFakeClock();
  const cluster = new MemoryCluster(clock);
  /** Answers come when time passes. */
  const ask = async (...asked: Parameters<KubeClient["request"]>): Promise<unknown> => {
    const [[answer]] = await Promise.all([
      Promise.allSettled([cluster.client.request(...asked)]),
      clock.advance(1000),
    ]);
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  };
  const client = { ...cluster.client, request: ask };
  return {
    namespace: "default",
    client,
    stranger: {
      ...client,
      request: async (request, signal) => {
        cluster.fail = (asked) => lackOfRight(asked, "stranger");
        try {
          return await ask(request, signal);
        } finally {
          cluster.fail = () => undefined;
        }
      },
    },
    create: async (name, made = {}) => {
      const { type = "LoadBalancer", finalizers = [], externalIPs = [] } = made;
      cluster.create(name, { type, finalizers, externalIPs });
      cluster.edit(name, (service) => overwrite(service, made), "kubectl-create");
    },
    edit: async (name, change, manager) => {
      cluster.edit(name, (service) => overwrite(service, change), manager);
    },
    remove: async (name) => cluster.delete(name),
    look: async (name) => cluster.look(name),
    lookAtEvent: async (name) => cluster.events.get(`default/${name}`),
    end: async () => cluster.endNamespace("default"),
    ended: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function overwrite(service: MemoryService, change: HandWritten): void {
  const { type, finalizers, externalIPs, ingress, conditions } = change;
  if (type !== undefined) service.type = type;
  if (finalizers !== undefined) service.finalizers = finalizers;
  if (externalIPs !== undefined) service.externalIPs = externalIPs;
  if (ingress !== undefined) service.ingress = ingress.map((ip) => ({ ip }));
  if (conditions !== undefined) {
    service.conditions = new Map(conditions.map((one) => [textOf(one, "type") ?? "", one]));
  }
}

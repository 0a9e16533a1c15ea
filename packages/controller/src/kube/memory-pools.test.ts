// Pools in memory do with the statuses that we write what a real API server does.

import { testPoolWriteContract } from "@fairlead/testkit";

import { MemoryPools, NO_RIGHT_TO_LAN } from "./memory-pools.ts";

testPoolWriteContract("a cluster in memory", async () => {
  const cluster = new MemoryPools();
  return {
    client: cluster,
    stranger: {
      server: cluster.server,
      watch: () => Promise.reject(new Error("nothing is watched")),
      request: async (request) => {
        cluster.failures.set("lan", NO_RIGHT_TO_LAN);
        return await cluster.request(request).finally(() => cluster.failures.clear());
      },
    },
    put: async (name, addresses) => cluster.put(name, { addresses }),
    remove: async (name) => cluster.remove(name),
    say: async (name, condition) => cluster.say(name, { conditions: [condition] }),
    look: async (name) => cluster.look(name),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

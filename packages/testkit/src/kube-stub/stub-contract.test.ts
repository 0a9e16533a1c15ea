// The stub does with our writes what a real API server does. It serves no AddressPools.

import { createKubeClient, type KubeClient } from "@fairlead/controller";
import { createSystemClock } from "@fairlead/runtime";

import { testWriteContract } from "../cluster-writes/write-contract.ts";
import { type WriteStage, writeStageOver } from "../cluster-writes/write-stage.ts";
import { startKubeStub } from "./kube-stub.ts";
import type { StubRight } from "./stub-rights.ts";

const RIGHTS: readonly StubRight[] = [
  { verb: "patch", resource: "services" },
  { verb: "patch", resource: "services/status" },
  { verb: "create", resource: "events" },
  { verb: "patch", resource: "events" },
];

testWriteContract("the stub", makeStage);

async function makeStage(): Promise<WriteStage> {
  const stub = await startKubeStub();
  const { access } = stub;
  const client = createKubeClient({ access, clock: createSystemClock(), userAgent: "story" });
  const stranger: KubeClient = {
    ...client,
    request: async (...asked) => {
      for (const right of RIGHTS) stub.forbid(right);
      try {
        return await client.request(...asked);
      } finally {
        for (const right of RIGHTS) stub.allow(right);
      }
    },
  };
  return {
    ...writeStageOver(client, "default"),
    client,
    stranger,
    [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose](),
  };
}

// The fake is held to the contract of the real one.

import { testIpamStoreContract } from "../ipam-store-contract.ts";
import { createMemoryIpamMedium, createMemoryIpamStore } from "./memory-ipam-store.ts";

testIpamStoreContract("the IPAM store in memory", async () => {
  await Promise.resolve();
  const medium = createMemoryIpamMedium();
  return {
    store: () => createMemoryIpamStore({ medium }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

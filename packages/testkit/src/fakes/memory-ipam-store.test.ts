// The fake is held to the contract of the real one.

import { testIpamStoreContract } from "../ipam-store-contract.ts";
import { createMemoryIpamMedium, createMemoryIpamStore } from "./memory-ipam-store.ts";

testIpamStoreContract("the IPAM store in memory", async () => {
  await Promise.resolve();
  const medium = createMemoryIpamMedium();
  let isLosing = false;
  return {
    store: () => createMemoryIpamStore({ medium, losing: () => isLosing }),
    fail: () => {
      isLosing = true;
      return { [Symbol.dispose]: () => void (isLosing = false) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

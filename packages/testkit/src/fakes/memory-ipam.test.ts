// The IPAM in memory does what one over HTTP does.

import { parsePoolName, present } from "@fairlead/model";

import { address } from "../node-plan-builders.ts";
import { testIpamClientContract } from "../ipam-client-contract.ts";
import { createMemoryIpam, MEMORY_IPAM_CLASS } from "./memory-ipam.ts";

const ADDRESSES = [address("192.0.2.100"), address("192.0.2.101"), address("192.0.2.102")] as const;

testIpamClientContract("the IPAM in memory", () =>
  Promise.resolve({
    client: createMemoryIpam(ADDRESSES).client(),
    url: "http://ipam.example",
    pool: present(parsePoolName("lan"), "a pool"),
    class: MEMORY_IPAM_CLASS,
    addresses: ADDRESSES,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
);

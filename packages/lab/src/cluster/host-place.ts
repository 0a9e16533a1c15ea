// A place for a cluster on a host of the lab, where the other hosts reach it. Given the host. What
// runs there ends with the host, by its crash too; the files outlive a crash as the host's do.

import { openDoor } from "../door.ts";
import type { Host } from "../host.ts";
import type { Place } from "./place.ts";

/** The place on this host. It can be made once a host. */
export function hostPlace(host: Host): Place {
  const { name, address, ipv6 } = host;
  return {
    ...host,
    name,
    addresses: ipv6 === undefined ? [address] : [address, ipv6],
    dir: `${host.dir}/cluster`,
    isReachable: true,
    // A host of the lab has all its ports for itself.
    ports: (usual) => Promise.resolve(usual),
    way: async (port) => {
      const { path } = await openDoor(host, { address, port });
      return { kind: "unix", path };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

// Settings for tests of whole controllers: all ports on the loopback, numbers by the kernel, and
// nothing asked for beyond what a test says.

import type { ControllerSettings } from "./settings.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };

/** Settings that differ from the usual ones in what is given. */
export function sampleSettings(
  given: Pick<ControllerSettings, "source" | "store"> & Partial<ControllerSettings>,
): ControllerSettings {
  return {
    pools: [],
    externalPoolDir: "/nonexistent",
    leaderLeaseMs: 5000,
    defaultClass: true,
    members: "endpoints",
    nodeSelector: {},
    listenAgents: LOOPBACK,
    listenMetrics: LOOPBACK,
    listenAdmin: LOOPBACK,
    sharesOwnAddress: false,
    writesExternalIPs: false,
    emptiesOnExit: false,
    rest: undefined,
    advertIntervalMs: 100,
    reservedRouterIds: [],
    ...given,
  };
}

// The flags of the REST server and of the IPAM service behind it, and what must hold between them.
// Names, ports and defaults are contracts.

import {
  type Complaint,
  type HostPort,
  type Setting,
  durationSetting,
  formatHostPort,
  hostPortSetting,
  isLoopbackHost,
} from "@fairlead/runtime";

import type { StoreSettings } from "./store-settings.ts";

/** The values of the flags. */
export interface RestFlags {
  readonly listenRest: HostPort;
  readonly ipamLease: number;
  readonly ipamGrace: number;
}

/** A minute: below it clients would do nothing but renew. */
const LEASE_MS_MIN = 60_000;

/** How each flag is read and explained. */
export const REST_SETTINGS: { readonly [Key in keyof RestFlags]: Setting<RestFlags[Key]> } = {
  listenRest: hostPortSetting({
    default: { host: "127.0.0.1", port: 7701 },
    hostDefault: "127.0.0.1",
    help:
      "Where REST is served, with a store of one file; on the loopback alone, as it asks " +
      "nobody's name.",
  }),
  ipamLease: durationSetting({
    default: 3_600_000,
    minMs: LEASE_MS_MIN,
    help: "How long a registration of the IPAM service lasts that is not renewed.",
  }),
  ipamGrace: durationSetting({
    default: 86_400_000,
    help: "How long after that its address is still kept for it.",
  }),
};

/** What REST and the IPAM service run by. */
export interface RestSettings {
  readonly listen: HostPort;
  /** The file of the IPAM service, beside the store's own. */
  readonly ipamPath: string;
  readonly ipamLeaseMs: number;
  readonly ipamGraceMs: number;
}

/** What is wrong with the flags. */
export function checkRestFlags({ listenRest }: Partial<RestFlags>): readonly Complaint[] {
  if (listenRest === undefined || isLoopbackHost(listenRest.host)) return [];
  return [
    {
      what: "--listen-rest",
      why: `others reach ${formatHostPort(listenRest)}, and REST asks nobody's name yet`,
      todo: "listen on 127.0.0.1 or [::1]",
      code: "NotBuiltYet",
    },
  ];
}

/**
 * Makes the settings of flags that nothing is wrong with. Undefined with a store that several
 * controllers share: the rows of the IPAM service are in a file, and each would have others.
 */
export function restSettings(flags: RestFlags, store: StoreSettings): RestSettings | undefined {
  if (store.kind !== "sqlite") return undefined;
  return {
    listen: flags.listenRest,
    ipamPath: `${store.path.replace(/\.db$/u, "")}.ipam.db`,
    ipamLeaseMs: flags.ipamLease,
    ipamGraceMs: flags.ipamGrace,
  };
}

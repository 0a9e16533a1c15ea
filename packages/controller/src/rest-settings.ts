// The flags of the REST server and of the IPAM service behind it, and what must hold between them.
// Names, ports and defaults are contracts.

import {
  type Complaint,
  type HostPort,
  type Setting,
  durationSetting,
  flagOf,
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

/** What the flags are checked with. */
export interface RestCheck {
  readonly settings: Partial<RestFlags>;
  /** Keys of settings that somebody gave. */
  readonly named: ReadonlySet<string>;
  /** Undefined: what says it is wrong itself. */
  readonly store: StoreSettings["kind"] | undefined;
}

/** What is wrong with the flags, by themselves and with the store there is. */
export function checkRestFlags({ settings, named, store }: RestCheck): readonly Complaint[] {
  const { listenRest } = settings;
  const complaints: Complaint[] = [];
  if (listenRest !== undefined && !isLoopbackHost(listenRest.host)) {
    complaints.push({
      what: "--listen-rest",
      why: `others reach ${formatHostPort(listenRest)}, and REST asks nobody's name yet`,
      todo: "listen on 127.0.0.1 or [::1]",
      code: "NotBuiltYet",
    });
  }
  const idle = Object.keys(REST_SETTINGS).filter((key) => named.has(key));
  if (idle.length > 0 && store !== undefined && store !== "sqlite") {
    const place = store === "etcd" ? "an etcd" : "the cluster";
    complaints.push({
      what: idle.map((key) => `--${flagOf(key)}`).join(" and "),
      why: `leases are kept in ${place}, where there is no IPAM service that REST could serve`,
      todo: `leave ${idle.length > 1 ? "them" : "it"} away, or keep leases in sqlite:FILE`,
      code: "ConflictingSettings",
    });
  }
  return complaints;
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

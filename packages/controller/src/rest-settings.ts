// The flags of the REST server and of the IPAM service behind it, and what must hold between them.
// Names, ports and defaults are contracts.

import { assertNever } from "@fairlead/model";
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
  readonly listenRest: HostPort | undefined;
  readonly ipamLease: number;
  readonly ipamGrace: number;
}

/** Where REST is served with a store of one file. */
const LISTEN_DEFAULT: HostPort = { host: "127.0.0.1", port: 7701 };
/** A minute: below it clients would do nothing but renew. */
const LEASE_MS_MIN = 60_000;

/** How each flag is read and explained. */
export const REST_SETTINGS: { readonly [Key in keyof RestFlags]: Setting<RestFlags[Key]> } = {
  listenRest: hostPortSetting({
    default: undefined,
    hostDefault: "127.0.0.1",
    help:
      "Where REST is served, on the loopback alone, as it asks nobody's name. Default: " +
      `${formatHostPort(LISTEN_DEFAULT)} with a store of one file, nowhere with the others.`,
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
  /** The file of the IPAM service, beside the store's own; undefined: it is where leases are. */
  readonly ipamPath: string | undefined;
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
  const given = Object.keys(REST_SETTINGS).filter((key) => named.has(key));
  const place = listenRest === undefined ? SHARED[store ?? "sqlite"] : undefined;
  if (given.length > 0 && place !== undefined) {
    complaints.push({
      what: given.map((key) => `--${flagOf(key)}`).join(" and "),
      why: `leases are kept in ${place}, where REST is served only when it is asked for`,
      todo: `leave ${given.length > 1 ? "them" : "it"} away, or add --listen-rest`,
      code: "ConflictingSettings",
    });
  }
  return complaints;
}

/** Where controllers stand side by side and would want one port. */
const SHARED: Readonly<Record<StoreSettings["kind"], string | undefined>> = {
  sqlite: undefined,
  etcd: "an etcd",
  kubernetes: "the cluster",
};

/** Where REST is served by that kind of store, as far as it is known; undefined: nowhere. */
export function restPlace(
  { listenRest }: Partial<RestFlags>,
  store: StoreSettings["kind"] | undefined,
): HostPort | undefined {
  return listenRest ?? (store === "sqlite" ? LISTEN_DEFAULT : undefined);
}

/** The file of the IPAM service beside the store of that path. */
export function ipamPathOf(storePath: string): string {
  return `${storePath.replace(/\.db$/u, "")}.ipam.db`;
}

/** Makes the settings of flags that nothing is wrong with. Undefined: REST is not served. */
export function restSettings(flags: RestFlags, store: StoreSettings): RestSettings | undefined {
  const { listenRest, ipamLease: ipamLeaseMs, ipamGrace: ipamGraceMs } = flags;
  switch (store.kind) {
    case "sqlite": {
      const ipamPath = ipamPathOf(store.path);
      return { listen: listenRest ?? LISTEN_DEFAULT, ipamPath, ipamLeaseMs, ipamGraceMs };
    }
    case "etcd":
    case "kubernetes":
      if (listenRest === undefined) return undefined;
      return { listen: listenRest, ipamPath: undefined, ipamLeaseMs, ipamGraceMs };
    default:
      return assertNever(store, "unknown store");
  }
}

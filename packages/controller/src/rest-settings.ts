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
      `${formatHostPort(LISTEN_DEFAULT)} with a store of one file, nowhere with an etcd.`,
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
  const idle = given.length > 0 ? whyIdle(settings, store) : undefined;
  if (idle !== undefined) {
    complaints.push({
      what: given.map((key) => `--${flagOf(key)}`).join(" and "),
      why: idle.why,
      todo: `leave ${given.length > 1 ? "them" : "it"} away, or ${idle.orElse}`,
      code: "ConflictingSettings",
    });
  }
  return complaints;
}

/** Why flags would do nothing; undefined: they do something. */
function whyIdle(
  { listenRest }: RestCheck["settings"],
  store: RestCheck["store"],
): { readonly why: string; readonly orElse: string } | undefined {
  if (store === "kubernetes") {
    const why =
      "leases are kept in the cluster, where there is no IPAM service that REST could serve";
    return { why, orElse: "keep leases in sqlite:FILE or in an etcd" };
  }
  if (store !== "etcd" || listenRest !== undefined) return undefined;
  const why = "leases are kept in an etcd, where REST is served only when it is asked for";
  return { why, orElse: "add --listen-rest" };
}

/** Makes the settings of flags that nothing is wrong with. Undefined: REST is not served. */
export function restSettings(flags: RestFlags, store: StoreSettings): RestSettings | undefined {
  const { listenRest, ipamLease: ipamLeaseMs, ipamGrace: ipamGraceMs } = flags;
  switch (store.kind) {
    case "sqlite": {
      const ipamPath = `${store.path.replace(/\.db$/u, "")}.ipam.db`;
      return { listen: listenRest ?? LISTEN_DEFAULT, ipamPath, ipamLeaseMs, ipamGraceMs };
    }
    case "etcd":
      // Controllers that stand side by side would want one port.
      if (listenRest === undefined) return undefined;
      return { listen: listenRest, ipamPath: undefined, ipamLeaseMs, ipamGraceMs };
    case "kubernetes":
      return undefined;
    default:
      return assertNever(store, "unknown store");
  }
}

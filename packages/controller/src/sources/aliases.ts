// Which annotations, labels and fields say what: our own names and those that people bring along
// from other load balancers, in one table. Two that disagree are a refusal, not a guess.

import { WRITTEN_EXTERNAL_IPS } from "../kube/service-record.ts";

/** What a Service can wish for by an annotation or a label of ours, or by an alias of one. */
export type Wish =
  | "expose"
  | "addresses"
  | "address-pool"
  | "sharing-key"
  | "source-ranges"
  | "datapath"
  | "balance"
  | "health-check"
  | "health-check-path"
  | "health-check-port"
  | "health-check-interval"
  | "health-check-timeout"
  | "health-check-rise"
  | "health-check-fall"
  | "proxy-protocol"
  | "accept-proxy-protocol"
  | "max-connections"
  | "connect-timeout"
  | "idle-timeout"
  | "drain-timeout"
  | "max-nodes"
  | "hostname"
  | "ttl"
  | "tls-secret"
  | "driver"
  | "external-ips";

/** Prefix of our own annotations and labels. */
export const PREFIX = "fairlead.io/";

/** Names of others that mean the same, as annotations only. Every wish has a row. */
export const ALIASES: Readonly<Record<Wish, readonly string[]>> = {
  expose: [],
  addresses: [
    "metallb.io/loadBalancerIPs",
    "metallb.universe.tf/loadBalancerIPs",
    "kube-vip.io/loadbalancerIPs",
    "lbipam.cilium.io/ips",
    "io.cilium/lb-ipam-ips",
    "purelb.io/addresses",
    "eip.openelb.kubesphere.io/v1alpha1",
  ],
  "address-pool": [
    "metallb.io/address-pool",
    "metallb.universe.tf/address-pool",
    "purelb.io/service-group",
    "eip.openelb.kubesphere.io/v1alpha2",
  ],
  "sharing-key": [
    "metallb.io/allow-shared-ip",
    "metallb.universe.tf/allow-shared-ip",
    "lbipam.cilium.io/sharing-key",
    "io.cilium/lb-ipam-sharing-key",
    "purelb.io/allow-shared-ip",
  ],
  // The older way to write spec.loadBalancerSourceRanges, which cloud providers honour.
  "source-ranges": ["service.beta.kubernetes.io/load-balancer-source-ranges"],
  datapath: [],
  balance: [],
  "health-check": [],
  "health-check-path": [],
  "health-check-port": [],
  "health-check-interval": [],
  "health-check-timeout": [],
  "health-check-rise": [],
  "health-check-fall": [],
  "proxy-protocol": [],
  "accept-proxy-protocol": [],
  "max-connections": [],
  "connect-timeout": [],
  "idle-timeout": [],
  "drain-timeout": [],
  "max-nodes": [],
  hostname: [
    "external-dns.alpha.kubernetes.io/hostname",
    "external-dns.kubernetes.io/hostname",
    "kube-vip.io/loadbalancerHostname",
  ],
  ttl: ["external-dns.alpha.kubernetes.io/ttl", "external-dns.kubernetes.io/ttl"],
  "tls-secret": [],
  driver: [],
  "external-ips": [],
};

/** One place where a wish stands. */
export interface WishText {
  /** `annotation fairlead.io/balance`: made of names of the table alone, for details. */
  readonly place: string;
  readonly text: string;
}

/** All that a Service says about the wish, in the table's order. Empty texts are none. */
export function wishTexts(
  wish: Wish,
  metadata: {
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
  },
): readonly WishText[] {
  const own = `${PREFIX}${wish}`;
  const found: WishText[] = [];
  const look = (from: "annotation" | "label", key: string): void => {
    const map = (from === "annotation" ? metadata.annotations : metadata.labels) ?? {};
    const text = Object.hasOwn(map, key) ? (map[key] ?? "").trim() : "";
    if (text !== "") found.push({ place: `${from} ${key}`, text });
  };
  look("annotation", own);
  look("label", own);
  for (const alias of ALIASES[wish]) look("annotation", alias);
  return found;
}

/** Keys with our prefix that no row of the table knows: most likely typing errors. Sorted. */
export function unknownKeys(keys: readonly string[]): readonly string[] {
  return keys
    .filter((key) => key.startsWith(PREFIX) && key !== WRITTEN_EXTERNAL_IPS)
    .filter((key) => !Object.hasOwn(ALIASES, key.slice(PREFIX.length)))
    .toSorted();
}

// A claim: one thing to expose, from whatever source. Sources produce claims and nothing else;
// a claim holds no text that was not parsed into a closed type, but for labels and details.

import type { Address, Family } from "./address.ts";
import type { Member } from "./member.ts";
import type { ClaimId, ClaimKind, PoolName } from "./name.ts";
import type { Remark } from "./reason.ts";

/** Transport protocols that a listener may have. */
export type Protocol = "tcp" | "udp";

/** A port as people read it everywhere, as kubectl writes it: `80/TCP`. */
export function portText(listener: { readonly port: number; readonly protocol: string }): string {
  return `${listener.port}/${listener.protocol.toUpperCase()}`;
}

/** A listener's place as people read it: `192.0.2.10:80/TCP` or `[2001:db8::1]:53/UDP`. */
export function placeText(listener: {
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
}): string {
  const { address } = listener;
  return `${address.includes(":") ? `[${address}]` : address}:${portText(listener)}`;
}

/** How connections are spread over members. */
export type Balance = "round-robin" | "least-conn" | "hash" | "random";

/** Which data path carries the claim. */
export type Datapath = "nginx" | "kernel" | "haproxy";

/** `client-ip` keeps a client on one member by consistent hashing of its address. */
export type Affinity =
  | { readonly kind: "none" }
  /** `timeoutSeconds` is Kubernetes' wish; hashing has no time-out and serves it for ever. */
  | { readonly kind: "client-ip"; readonly timeoutSeconds: number };

/** One port of a claim with the members behind it. */
export interface ClaimListener {
  /** Name of the Service port; empty when it has none. For people only. */
  readonly name: string;
  readonly protocol: Protocol;
  /** 1 to 65535; unique with the protocol inside a claim. */
  readonly port: number;
  /** Members of both families; a listener uses those of any family. Sorted, none twice. */
  readonly members: readonly Member[];
}

/** Which families are wanted, as Kubernetes' ipFamilies and ipFamilyPolicy say. */
export interface FamilyWish {
  readonly policy: "SingleStack" | "PreferDualStack" | "RequireDualStack";
  /** In order of preference; empty: the pool decides. */
  readonly families: readonly Family[];
}

/** Everything about how traffic of the claim is treated. Absent limits mean the default. */
export interface TrafficPolicy {
  readonly datapath?: Datapath;
  readonly balance: Balance;
  readonly affinity: Affinity;
  /** `local`: only members on the receiving host; reported as not served where it is not. */
  readonly externalTraffic: "cluster" | "local";
  /** Clients that may connect, as written; not enforced yet, hence refused when not empty. */
  readonly sourceRanges: readonly string[];
  /** PROXY protocol towards members. */
  readonly proxyProtocol: "none" | "v1" | "v2";
  /** PROXY protocol expected from clients. */
  readonly acceptProxyProtocol: boolean;
  readonly connectTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly drainTimeoutMs?: number;
  readonly connectionsMax?: number;
}

/** One thing to expose: who asks, which listeners, which addresses, which members, which policy. */
export interface Claim {
  readonly id: ClaimId;
  readonly kind: ClaimKind;
  readonly namespace: string;
  readonly name: string;
  /** The owner's identity: an object deleted and made again is another owner. */
  readonly uid: string;
  /** Kubernetes' metadata.generation, 0 where there is none. */
  readonly generation: number;
  /** Epoch ms; absent counts as newest. */
  readonly createdAtMs?: number;
  /** Where it was seen, for people: a file, or the cluster. */
  readonly origin: string;
  readonly labels: Readonly<Record<string, string>>;
  /** At least one, unless `refusals` says why not or the kind has none. By protocol and port. */
  readonly listeners: readonly ClaimListener[];
  /** Addresses asked for, in order; at most one a family is served. */
  readonly wishedAddresses: readonly Address[];
  /**
   * Addresses that we wrote into its status, as they stood there when it was last seen anew: what a
   * lost store is made whole from. Absent: none.
   */
  readonly statusAddresses?: readonly Address[];
  readonly wishedPool?: PoolName;
  /** Claims with the same key may share an address where ports do not clash. */
  readonly sharingKey?: string;
  readonly families: FamilyWish;
  readonly policy: TrafficPolicy;
  /** Whether its addresses are to stand in `spec.externalIPs` too; absent: not. */
  readonly writesExternalIPs?: true;
  /** What its source already knows to be unservable: each refuses the whole claim. */
  readonly refusals: readonly Remark[];
  /** What is wished for and not served yet, or left out: said in the verdict, serving goes on. */
  readonly remarks: readonly Remark[];
}

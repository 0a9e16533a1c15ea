// Listeners whose members stand in the kernel's table, as nginx.conf has them: few upstreams that
// all share, a table from listener to service address, and one server block for all listeners of
// one policy. nginx compares each upstream and each server with all others, so a file with one of
// each a listener costs a reload that grows with the square of their number; this one hardly does.

import { type Address, type ListenerResource, familyOf, present } from "@fairlead/model";

import type { ServicePlace } from "./nginx-input.ts";
import {
  type BalancingView,
  type ListenView,
  type PolicyView,
  balancing,
  endpoint,
  listenView,
  policyView,
  upstreamName,
} from "./nginx-policy.ts";
import { FURTHER_TRIES, turnOf, turnPort } from "./turns.ts";

/** A listener with its place. */
export interface PlacedListener {
  readonly listener: ListenerResource;
  readonly place: ServicePlace;
}

/** A port of the target. */
export interface TargetView {
  readonly endpoint: string;
  /** `backup` for what is tried when the others fail. */
  readonly flags: readonly string[];
}

/** An upstream whose servers are the slots. */
export interface BalancerView extends BalancingView {
  readonly name: string;
  readonly targets: readonly TargetView[];
}

/** From which address nginx connects for a listener. */
export interface SourceView {
  /** As nginx's variables say it. */
  readonly protocol: "TCP" | "UDP";
  readonly address: Address;
  readonly port: number;
  readonly service: Address;
}

/** All listeners of one policy. */
export interface GroupView extends PolicyView {
  readonly balancer: string;
  readonly listens: readonly ListenView[];
}

/** The part of the file for placed listeners; empty lists when there are none. */
export interface PlacedView {
  readonly balancers: readonly BalancerView[];
  /** One table or none. */
  readonly sources: readonly {
    readonly hashMax: number;
    readonly entries: readonly SourceView[];
  }[];
  readonly groups: readonly GroupView[];
}

/** Targets of both families. */
interface Targets {
  readonly ipv4: Address;
  readonly ipv6?: Address;
}

/** An upstream with one server beside its backups has nothing to choose from. */
const BY_KERNEL: BalancingView = { hashKeys: [], methods: [] };

/** nginx's default; a larger table of variables needs a larger one. */
const HASH_MAX_LEAST = 2048;

/** Decides the part for these, which are in order. Needs targets when there are any. */
export function placedView(
  placed: readonly PlacedListener[],
  targets: Targets | undefined,
): PlacedView {
  if (placed.length === 0) return { balancers: [], sources: [], groups: [] };
  const known = present(targets, "who has places has targets");
  const balancers = new Map<string, BalancerView>();
  const groups = new Map<string, GroupView & { listens: ListenView[] }>();
  for (const { listener, place } of placed) {
    const balancer = balancerName(listener, place);
    if (!balancers.has(balancer)) {
      balancers.set(balancer, {
        name: balancer,
        ...(turnOf(listener) === undefined ? balancing(listener) : BY_KERNEL),
        targets: targetsOf(listener, place, known),
      });
    }
    const policy = policyView(listener);
    const key = JSON.stringify([balancer, policy]);
    const group = groups.get(key) ?? { balancer, ...policy, listens: [] };
    groups.set(key, group);
    group.listens.push(listenView(listener));
  }
  const entries = placed.map(sourceView);
  const hashMax = Math.max(HASH_MAX_LEAST, 2 ** Math.ceil(Math.log2(entries.length * 4)));
  return {
    balancers: [...balancers.values()],
    sources: [{ hashMax, entries }],
    groups: [...groups.values()],
  };
}

/**
 * Connections of all listeners are counted together in a shared upstream, so one that goes by the
 * fewest of its own has its own upstream.
 */
function balancerName(listener: ListenerResource, { service, slots }: ServicePlace): string {
  const { hashKeys, methods } = balancing(listener);
  const end = `${slots}-${familyOf(service)}`;
  if (methods.includes("least_conn")) return `${upstreamName(listener)}-${end}`;
  const [by = methods.length > 0 ? methods : ["turn"]] = hashKeys;
  return ["by", ...by, end].join("-");
}

/** Each slot; or where the kernel chooses, the port for all, and few slots for when that fails. */
function targetsOf(
  listener: ListenerResource,
  { service, slots }: ServicePlace,
  { ipv4, ipv6 }: Targets,
): readonly TargetView[] {
  const family = familyOf(service);
  const target = present(family === "ipv4" ? ipv4 : ipv6, "a target of the members' family");
  const turn = turnOf(listener);
  const of = (length: number, flags: readonly string[]): readonly TargetView[] =>
    Array.from({ length }, (_, slot) => ({ endpoint: endpoint(target, slot + 1), flags }));
  if (turn === undefined) return of(slots, []);
  const first = { endpoint: endpoint(target, turnPort(turn, slots)), flags: [] };
  return [first, ...of(FURTHER_TRIES, ["backup"])];
}

function sourceView({ listener, place }: PlacedListener): SourceView {
  return {
    protocol: listener.protocol === "tcp" ? "TCP" : "UDP",
    address: listener.address,
    port: listener.port,
    service: place.service,
  };
}

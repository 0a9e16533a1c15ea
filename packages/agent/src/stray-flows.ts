// Which flows to members have to end: those to a member that its listener does not have any more,
// after the listener's drain time; of UDP, which has no end of its own, at once. Pure: flows and
// what was known of them in, what is over and what waits out.

import type { Address } from "@fairlead/model";

import type { MemberFlow, PlacedMembers } from "./member-ports.ts";

/** What a service address stands for, or stood for while it had a listener. */
export interface FlowOwner {
  /** As `memberKey` names them; empty of a listener that is gone. */
  readonly members: ReadonlySet<string>;
  readonly drainTimeoutMs: number;
}

/** Owners by service address. */
export type FlowOwners = ReadonlyMap<Address, FlowOwner>;

/** Since when flows have a member that their listener has not, in monotonic ms. */
export type StrayTimes = ReadonlyMap<string, number>;

/** What is to be done about flows. */
export interface JudgedFlows {
  /** Their time is up. */
  readonly over: readonly MemberFlow[];
  /** Of every stray flow, those that are over as well: they are so until they are seen gone. */
  readonly times: StrayTimes;
  /** Monotonic ms when the next one is over; undefined: none waits. */
  readonly nextMs: number | undefined;
  /** Owners that some of them still need. */
  readonly owners: FlowOwners;
}

/** What is known before a listing of flows is judged. */
export interface KnownFlows {
  readonly owners: FlowOwners;
  readonly times: StrayTimes;
  readonly nowMs: number;
}

/**
 * The drain time of a service address whose listener nobody remembers, in ms: the agent was started
 * after it went. nginx keeps a generation that was replaced for as long at least.
 */
const UNKNOWN_DRAIN_MS = 600_000;
const NOBODYS: FlowOwner = { members: new Set(), drainTimeoutMs: UNKNOWN_DRAIN_MS };

/** Judges everything that is listed. */
export function judgeFlows(flows: readonly MemberFlow[], known: KnownFlows): JudgedFlows {
  const { owners, nowMs } = known;
  const over: MemberFlow[] = [];
  const times = new Map<string, number>();
  const needed = new Map<Address, FlowOwner>();
  let nextMs: number | undefined;
  for (const flow of flows) {
    const { service, protocol } = flow;
    const owner = owners.get(service) ?? NOBODYS;
    const member = memberKey({ address: flow.member, port: flow.memberPort });
    if (owner.members.has(member)) continue;
    const key = `${service} ${member}`;
    const sinceMs = known.times.get(key) ?? nowMs;
    const overMs = sinceMs + (protocol === "udp" ? 0 : owner.drainTimeoutMs);
    times.set(key, sinceMs);
    needed.set(service, owner);
    if (overMs <= nowMs) over.push(flow);
    else nextMs = Math.min(nextMs ?? overMs, overMs);
  }
  return { over, times, nextMs, owners: needed };
}

/** The owner that a listener is, by one plan or by two of which either may be in force. */
export function flowOwner(entries: readonly PlacedMembers[]): FlowOwner {
  const members = entries.flatMap((entry) => entry.members.members.map(memberKey));
  const drainsMs = entries.map(({ listener }) => listener.drainTimeoutMs);
  return { members: new Set(members), drainTimeoutMs: Math.max(...drainsMs) };
}

/** A listener that is gone: its drain time still counts. */
export function withoutMembers({ drainTimeoutMs }: FlowOwner): FlowOwner {
  return { members: new Set(), drainTimeoutMs };
}

/** Where a member listens, as a key. */
export function memberKey({
  address,
  port,
}: {
  readonly address: Address;
  readonly port: number;
}): string {
  return `${address} ${port}`;
}

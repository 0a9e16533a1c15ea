// The table of members as the kernel has it now, with names in place of service addresses, and how
// many connections each member has; for people. What the plan says is set beside it, and what the
// answer has no room for is counted. It changes nothing.

import {
  type Address,
  type ListenerResource,
  type Member,
  type Resource,
  claimTitle,
  compareAddress,
  compareBy,
  parseAddress,
} from "@fairlead/model";
import { describeError } from "@fairlead/runtime";
import type { GetMembersRequest, GetMembersResponseSchema, MessageInitShape } from "@fairlead/wire";

import { listenersByService } from "../../service-places.ts";
import { memberKey } from "../../stray-flows.ts";
import type { DebugContext, ShownMembers } from "./debug-context.ts";
import { takeWithinRoom } from "./within-room.ts";

type MembersInit = MessageInitShape<typeof GetMembersResponseSchema>;
type ListenerInit = NonNullable<MembersInit["listeners"]>[number];

/** What a listener and what a member of it need on the wire, in bytes. */
const LISTENER_BYTES = 500;
const MEMBER_BYTES = 80;

/** Answers GetMembers. */
export async function getMembers(
  { view, members: shown }: DebugContext,
  { subject }: Pick<GetMembersRequest, "subject">,
): Promise<MembersInit> {
  if (shown === undefined) return { inKernel: false };
  const rows: Rows = new Map();
  const resources = view.wanted?.plan.resources;
  for (const [service, name] of listenersByService(shown.table.places)) {
    const listener = resources?.get(name);
    if (listener?.kind !== "listener") continue;
    const slots = shown.table.places.get(name)?.slots ?? 0;
    const set = resources?.get(listener.members);
    rows.set(service, rowOf({ service, listener, slots, members: membersOf(set) }));
  }
  const own = { inKernel: true, ...ownAddresses(shown) };
  const trouble = await addSlots(rows, shown);
  if (trouble !== undefined) return { ...own, trouble };
  const flowsTrouble = await addFlows(rows, shown);
  const asked = [...rows.values()].filter((row) => isAbout(row, subject)).toSorted(byService);
  const { taken, leftOut } = takeWithinRoom(asked, ({ members }) => {
    return LISTENER_BYTES + members.size * MEMBER_BYTES;
  });
  return {
    ...own,
    listeners: taken.map(listenerInit),
    leftOut,
    flowsTrouble: flowsTrouble ?? "",
  };
}

/** What the host uses for itself, whoever is served. */
function ownAddresses({ ranges }: ShownMembers): Pick<MembersInit, "networks" | "targets"> {
  const { ipv4, ipv6 } = ranges;
  const all = ipv6 === undefined ? [ipv4] : [ipv4, ipv6];
  return { networks: all.map(({ network }) => network), targets: all.map(({ target }) => target) };
}

interface MemberRow {
  readonly address: Address;
  readonly port: number;
  readonly state: Member["state"] | "removed";
  slots: number;
  flows: number;
}

interface Row {
  readonly service: Address;
  readonly protocol: ListenerResource["protocol"];
  /** Absent: it was removed. */
  readonly listener?: ListenerResource;
  readonly slots: number;
  readonly members: Map<string, MemberRow>;
}

/** By service address. */
type Rows = Map<Address, Row>;

function membersOf(set: Resource | undefined): readonly Member[] {
  return set?.kind === "members" ? set.members : [];
}

function rowOf(of: {
  readonly service: Address;
  readonly listener: ListenerResource;
  readonly slots: number;
  readonly members: readonly Member[];
}): Row {
  const { service, listener, slots } = of;
  const row: Row = { service, listener, protocol: listener.protocol, slots, members: new Map() };
  for (const { address, port, state } of of.members) {
    row.members.set(memberKey({ address, port }), { address, port, state, slots: 0, flows: 0 });
  }
  return row;
}

/** @returns why the kernel could not be read. */
async function addSlots(rows: Rows, { table }: ShownMembers): Promise<string | undefined> {
  try {
    for (const { service, protocol, member, memberPort } of await table.slots()) {
      memberAt(rows, { service, protocol, member, memberPort }).slots += 1;
    }
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

/** @returns why connections could not be counted. */
async function addFlows(rows: Rows, { flows }: ShownMembers): Promise<string | undefined> {
  try {
    for (const flow of await flows.list()) memberAt(rows, flow).flows += 1;
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

/** What the plan does not name was removed. */
function memberAt(
  rows: Rows,
  at: {
    readonly service: Address;
    readonly protocol: ListenerResource["protocol"];
    readonly member: Address;
    readonly memberPort: number;
  },
): MemberRow {
  const { service, protocol, member: address, memberPort: port } = at;
  const row: Row = rows.get(service) ?? { service, protocol, slots: 0, members: new Map() };
  rows.set(service, row);
  const key = memberKey({ address, port });
  const found: MemberRow = row.members.get(key) ?? {
    address,
    port,
    state: "removed",
    slots: 0,
    flows: 0,
  };
  row.members.set(key, found);
  return found;
}

function isAbout({ service, listener, members }: Row, subject: string): boolean {
  if (subject === "") return true;
  if (listener !== undefined && claimTitle(listener.claim) === subject) return true;
  const address = parseAddress(subject);
  if (address === undefined) return false;
  const own = [service, listener?.address, ...[...members.values()].map((one) => one.address)];
  return own.includes(address);
}

function listenerInit({ service, protocol, listener, slots, members }: Row): ListenerInit {
  return {
    service,
    protocol,
    slots,
    address: listener?.address ?? "",
    port: listener?.port ?? 0,
    claim: listener === undefined ? "" : claimTitle(listener.claim),
    members: [...members.values()].toSorted(byPlace),
  };
}

const byService: (a: Row, b: Row) => number = (a, b) => compareAddress(a.service, b.service);
const byPlace: (a: MemberRow, b: MemberRow) => number = compareBy(
  (a, b) => compareAddress(a.address, b.address),
  (a, b) => a.port - b.port,
);

// The kernel's table of members as scripts for `nft -f`: one transaction each. nginx connects to
// one target address: the port says the slot, or that the kernel shall choose it, and the address
// that it connects from, the service address, says the listener. Flat maps alone: a chain a
// listener would take 12 s to load and 70 ms to edit at 10 000 (measured). Pure; it is given typed
// values and writes nothing else.

import { type Address, type Member, type Protocol, assert, familyOf } from "@fairlead/model";

import { assertTokens } from "./guard.ts";
import type { Slots } from "./slots.ts";
import { FURTHER_TRIES, turnKey, turnMap, turnRules } from "./turns.ts";
import { type RevisionTurn, revisionChange, revisionSet, withoutTable } from "./table-signature.ts";

/** Table of nftables that holds the members; ours alone. */
export const MEMBER_TABLE = "fairlead_members";

/** Its chain in which a connection gets its member. */
export const CHOOSING_CHAIN = "choose";

const RESET = "reject with tcp reset";

/** The addresses that the table uses, of one family. None of them is anybody's on the network. */
export interface ServiceRange {
  /** Network of the service addresses, as `198.18.0.0/15`. */
  readonly network: string;
  /** What nginx connects to; in the network. */
  readonly target: Address;
}

/** Ranges by family; a host without IPv6 has none. */
export interface ServiceRanges {
  readonly ipv4: ServiceRange;
  readonly ipv6?: ServiceRange;
}

/** One listener's part of the table. */
export interface TableListener {
  /** Where clients connect to: of these flows no connection is tracked. */
  readonly address: Address;
  readonly port: number;
  readonly protocol: Protocol;
  /** What nginx connects from; of the family of all members. */
  readonly service: Address;
  readonly slots: Slots;
  /** Whether the kernel chooses the slot (turns.ts). */
  readonly takesTurns: boolean;
}

/** What becomes of one listener's part. Absent `before`: it is new; absent `after`: it goes. */
export interface TableChange {
  readonly before?: TableListener;
  readonly after?: TableListener;
}

/**
 * The whole table, in the place of the one before: nobody ever sees none or half of it.
 * @param revision signs it.
 */
export function memberTableScript(
  ranges: ServiceRanges,
  listeners: readonly TableListener[],
  revision: number,
): string {
  return [
    withoutTable(MEMBER_TABLE),
    `table inet ${MEMBER_TABLE} {`,
    ...mapOf("slots4", "ipv4_addr", "ipv4_addr"),
    ...mapOf("slots6", "ipv6_addr", "ipv6_addr"),
    turnMap("turns4", "ip"),
    turnMap("turns6", "ip6"),
    `  ${revisionSet(revision)}`,
    "  set listeners4 { type ipv4_addr . inet_proto . inet_service; }",
    "  set listeners6 { type ipv6_addr . inet_proto . inet_service; }",
    "  chain untracked_in {",
    "    type filter hook prerouting priority raw; policy accept;",
    "    ip daddr . meta l4proto . th dport @listeners4 notrack",
    "    ip6 daddr . meta l4proto . th dport @listeners6 notrack",
    "  }",
    "  chain untracked_out {",
    "    type filter hook output priority raw; policy accept;",
    "    ip saddr . meta l4proto . th sport @listeners4 notrack",
    "    ip6 saddr . meta l4proto . th sport @listeners6 notrack",
    "  }",
    `  chain ${CHOOSING_CHAIN} {`,
    "    type nat hook output priority -100; policy accept;",
    ...eachRange(ranges, (ip, { target }) => {
      const number = ip === "ip" ? 4 : 6;
      const key = `${ip} saddr . meta l4proto . th dport`;
      return [
        ...turnRules(ip, target, `turns${number}`),
        `    ${ip} daddr ${target} dnat ${ip} to ${key} map @slots${number}`,
      ].join("\n");
    }),
    // The target is an address of this host: what found no member would reach whatever the host
    // itself listens with on the slot's port, as sshd on 22. It is refused before it leaves, where
    // nothing is kept of it: a flood over UDP would fill the table of connections. Chains of nat
    // see the first packet of a connection alone, so that no other one has to pass.
    ...refusing(ranges),
    "  }",
    // The same of a neighbour who sends to the target.
    "  chain refuse_in {",
    "    type nat hook input priority 100; policy accept;",
    ...refusing(ranges),
    "  }",
    "  chain leave {",
    "    type nat hook postrouting priority 100; policy accept;",
    ...eachRange(ranges, (ip, { network }) => `    ${ip} saddr ${network} masquerade`),
    "  }",
    "}",
    ...elements(listeners.map((after) => ({ after }))),
    "",
  ].join("\n");
}

/**
 * What changes the table by these changes, and its signature; undefined when nothing differs.
 * @param after gives all that is in the table then, and is asked when one goes: an address that was
 * given anew has two parts for a while, and the one that goes leaves the listener to the other.
 */
export function memberChangeScript(
  changes: readonly TableChange[],
  after: () => readonly TableListener[],
  turn: RevisionTurn,
): string | undefined {
  const isAnyGone = changes.some((change) => change.after === undefined);
  const lines = elements(changes, new Set(isAnyGone ? after().map(listenerOf) : []));
  if (lines.length === 0) return undefined;
  return [...lines, revisionChange(MEMBER_TABLE, turn), ""].join("\n");
}

/** Refuses everything to the target. */
function refusing(ranges: ServiceRanges): readonly string[] {
  return [
    ...eachRange(ranges, (ip, { target }) => `    ${ip} daddr ${target} meta l4proto 6 ${RESET}`),
    ...eachRange(ranges, (ip, { target }) => `    ${ip} daddr ${target} reject`),
  ];
}

function mapOf(name: string, from: string, to: string): readonly string[] {
  const type = `${from} . inet_proto . inet_service : ${to} . inet_service`;
  return [`  map ${name} { type ${type}; }`];
}

function eachRange(
  ranges: ServiceRanges,
  line: (ip: "ip" | "ip6", range: ServiceRange) => string,
): readonly string[] {
  const { ipv4, ipv6 } = ranges;
  assertTokens([ipv4, ...(ipv6 === undefined ? [] : [ipv6])]);
  return [line("ip", ipv4), ...(ipv6 === undefined ? [] : [line("ip6", ipv6)])];
}

/** Deletions first: an element is replaced by deleting and adding it in one transaction. */
function elements(
  changes: readonly TableChange[],
  kept: ReadonlySet<string> = new Set(),
): readonly string[] {
  const gone = new Map<string, string[]>();
  const come = new Map<string, string[]>();
  assertTokens([...new Set(changes.flatMap(({ after }) => after?.slots.map(placeOf) ?? []))]);
  for (const { before, after } of changes) {
    const one = before ?? after;
    if (one === undefined) continue;
    assertTokens([one.address, one.service, one.port]);
    assert(after === undefined || before === undefined || isSamePlace(before, after), "one place");
    if (before === undefined || after === undefined) {
      const set = familyOf(one.address) === "ipv4" ? "listeners4" : "listeners6";
      const element = listenerOf(one);
      if (after !== undefined) push(come, set, element);
      else if (!kept.has(element)) push(gone, set, element);
    }
    slotElements(before, after, gone, come);
  }
  return [...statements("delete", gone), ...statements("add", come)];
}

function slotElements(
  before: TableListener | undefined,
  after: TableListener | undefined,
  gone: Map<string, string[]>,
  come: Map<string, string[]>,
): void {
  const had = mapElements(before);
  const has = mapElements(after);
  for (const [id, { map, key, to }] of had) {
    if (has.get(id)?.to !== to) push(gone, map, key);
  }
  for (const [id, { map, key, to }] of has) {
    if (had.get(id)?.to !== to) push(come, map, `${key} : ${to}`);
  }
}

/** An element of a map: the slot, and the member that it names. */
interface MapElement {
  readonly map: string;
  readonly key: string;
  readonly to: string;
}

/** What maps have for a listener, by map and key. */
function mapElements(listener: TableListener | undefined): ReadonlyMap<string, MapElement> {
  const found = new Map<string, MapElement>();
  if (listener === undefined) return found;
  const { service, protocol, slots, takesTurns } = listener;
  const number = familyOf(service) === "ipv4" ? 4 : 6;
  const add = (map: string, key: string, to: string): void => {
    found.set(`${map} ${key}`, { map, key, to });
  };
  for (const [slot, { address, port }] of slots.entries()) {
    assert(familyOf(address) === familyOf(service), "a service address of its members' family");
    const to = `${address} . ${port}`;
    const isNamed = !takesTurns || slot < FURTHER_TRIES;
    if (isNamed) add(`slots${number}`, `${service} . ${protocol} . ${slot + 1}`, to);
    if (takesTurns) add(`turns${number}`, turnKey(service, slot), to);
  }
  return found;
}

function statements(verb: string, elementsOf: ReadonlyMap<string, string[]>): readonly string[] {
  return [...elementsOf].map(
    ([name, list]) =>
      `${verb} element inet ${MEMBER_TABLE} ${name} {\n${[...new Set(list)].join(",\n")}\n}`,
  );
}

function push(lists: Map<string, string[]>, name: string, element: string): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [element]);
  else list.push(element);
}

/** The element of the listener, which all of its parts share. */
function listenerOf({ address, protocol, port }: TableListener): string {
  return `${address} . ${protocol} . ${port}`;
}

function isSamePlace(a: TableListener, b: TableListener): boolean {
  return (
    a.service === b.service &&
    a.address === b.address &&
    a.port === b.port &&
    a.protocol === b.protocol
  );
}

function placeOf({ address }: Member): Address {
  return address;
}

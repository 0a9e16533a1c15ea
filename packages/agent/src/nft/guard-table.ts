// The text of the input guard for nft: a whole table, or what changes in one. Pure. Every decision
// about a packet stands here; the sets hold addresses, numbers and names of devices alone.
// Connection tracking is not used: flows of listeners are kept out of it. Protocols are numbers:
// nft looks names up in /etc/protocols, which small systems lack.

import { assert, compareText, familyOf } from "@fairlead/model";

import { type RevisionTurn, revisionChange, revisionSet, withoutTable } from "@fairlead/render";

import type { Guarded } from "../ports.ts";

/** The guard's table, of family inet. */
export const GUARD_TABLE = "fairlead_guard";

/** The sets of the table and the types of their elements. */
const SETS = {
  vips4: "ipv4_addr",
  vips6: "ipv6_addr",
  listeners4: "ipv4_addr . inet_proto . inet_service",
  listeners6: "ipv6_addr . inet_proto . inet_service",
  lanes: "ifname",
  peers4: "ifname . ipv4_addr",
  peers6: "ifname . ipv6_addr",
} as const;

type SetName = keyof typeof SETS;
const SET_NAMES = Object.keys(SETS) as readonly SetName[];

/** Elements as nft reads them, by set. */
export type GuardSets = Readonly<Record<SetName, ReadonlySet<string>>>;

const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const;
/** Everything an element may be made of: no text of a user can be an instruction. */
const ELEMENT = /^("[A-Za-z0-9_.-]{1,15}"( \. )?)?([0-9a-f.:]+( \. (6|17) \. [0-9]{1,5})?)?$/;

/** Answers of refusal a second, of each kind; what is above is dropped. */
const REFUSALS = "limit rate 1000/second burst 200 packets";

/**
 * The chains. A chain of the hook input sees a packet when the host is about to take it for itself:
 * IPv4 is whole then, IPv6 may come in fragments, of which the first alone has a port.
 */
const CHAINS = `  # What is refused is kept from being translated to somewhere else: node ports answer there.
  chain before_nat {
    type filter hook prerouting priority raw; policy accept;
    tcp flags & (fin | syn | rst | ack) != syn accept
    ip daddr @vips4 ip daddr . meta l4proto . th dport != @listeners4 goto untranslated
    ip6 daddr @vips6 ip6 daddr . meta l4proto . th dport != @listeners6 goto untranslated
  }
  chain untranslated {
    tcp flags & (fin | syn | rst | ack) == syn fib daddr type local notrack
    meta l4proto 17 fib daddr type local notrack
  }
  chain vrrp {
    iifname . ip saddr @peers4 accept
    iifname . ip6 saddr @peers6 accept
    iifname @lanes counter drop
  }
  chain refused {
    meta l4proto 6 ${REFUSALS} counter reject with tcp reset
    meta l4proto != 6 ${REFUSALS} counter reject
    counter drop
  }
  chain vip4 {
    ip daddr . meta l4proto . th dport @listeners4 accept
    icmp type { 0, 3, 8, 11, 12 } accept
    meta l4proto 1 counter drop
    goto refused
  }
  chain vip6 {
    ip6 daddr . meta l4proto . th dport @listeners6 accept
    frag frag-off != 0 accept
    icmpv6 type { 1, 2, 3, 4, 128, 129, 135, 136 } accept
    meta l4proto 58 counter drop
    goto refused
  }
  chain input {
    type filter hook input priority filter - 10; policy accept;
    meta l4proto 112 jump vrrp
    # Flows that began go on: for what has no socket the kernel sends the reset.
    tcp flags & (fin | syn | rst | ack) != syn accept
    ip daddr @vips4 goto vip4
    ip6 daddr @vips6 goto vip6
  }
`;

/** The elements for what is guarded. A listener of any other address is none of ours. */
export function guardSets({ vips, listeners, lanes }: Guarded): GuardSets {
  const sets = emptySets();
  const guarded = new Set<string>(vips);
  for (const vip of vips) sets[familyOf(vip) === "ipv4" ? "vips4" : "vips6"].add(vip);
  for (const { address, protocol, port } of listeners) {
    if (!guarded.has(address)) continue;
    const element = `${address} . ${PROTOCOL_NUMBERS[protocol]} . ${port}`;
    sets[familyOf(address) === "ipv4" ? "listeners4" : "listeners6"].add(element);
  }
  for (const { link, peers } of lanes) {
    sets.lanes.add(`"${link}"`);
    for (const peer of peers) {
      const name = familyOf(peer) === "ipv4" ? "peers4" : "peers6";
      sets[name].add(`"${link}" . ${peer}`);
    }
  }
  return sets;
}

/**
 * Makes a `guardSets` that gives the very sets of the call before where it is asked for the same
 * items: a pass guards before its effects and after them, mostly the same of thousands.
 */
export function createGuardSets(): (guarded: Guarded) => GuardSets {
  let last: { readonly guarded: Guarded; readonly sets: GuardSets } | undefined;
  return (guarded) => {
    if (last !== undefined && areSame(last.guarded, guarded)) return last.sets;
    last = { guarded, sets: guardSets(guarded) };
    return last.sets;
  };
}

function areSame(a: Guarded, b: Guarded): boolean {
  return (["vips", "listeners", "lanes"] as const).every((key) => {
    const [before, now]: readonly (readonly unknown[])[] = [a[key], b[key]];
    if (before === undefined || now?.length !== before.length) return false;
    return before.every((item, at) => item === now[at]);
  });
}

/** With addresses and peers of before as well; nobody is dropped on a link that is new. */
export function widenedSets(before: GuardSets | undefined, next: GuardSets): GuardSets {
  const known = before ?? emptySets();
  const sets = { ...next, lanes: known.lanes };
  for (const name of ["vips4", "vips6", "peers4", "peers6"] as const) {
    sets[name] = new Set([...known[name], ...next[name]]);
  }
  return sets;
}

/** The whole table in one transaction, in place of whatever has its name. */
export function wholeTable(sets: GuardSets, revision: number): string {
  const texts = SET_NAMES.map((name) => {
    const elements = elementList(sets[name]);
    const filled = elements === "" ? "" : ` elements = { ${elements} };`;
    return `  set ${name} { type ${SETS[name]};${filled} }\n`;
  });
  const body = `  ${revisionSet(revision)}\n${texts.join("")}${CHAINS}`;
  return `${withoutTable(GUARD_TABLE)}\ntable inet ${GUARD_TABLE} {\n${body}}\n`;
}

/** What makes one table of another in one transaction; undefined when they are the same. */
export function tableChange(
  from: GuardSets,
  to: GuardSets,
  turn: RevisionTurn,
): string | undefined {
  const lines = SET_NAMES.flatMap((name) => [
    ...changeOf("delete", name, missing(from[name], to[name])),
    ...changeOf("add", name, missing(to[name], from[name])),
  ]);
  if (lines.length === 0) return undefined;
  return [...lines, revisionChange(GUARD_TABLE, turn), ""].join("\n");
}

/** What `from` has and `others` has not. */
function missing(from: ReadonlySet<string>, others: ReadonlySet<string>): readonly string[] {
  return [...from].filter((element) => !others.has(element));
}

function changeOf(verb: string, name: SetName, elements: readonly string[]): readonly string[] {
  const list = elementList(elements);
  return list === "" ? [] : [`${verb} element inet ${GUARD_TABLE} ${name} { ${list} }`];
}

function elementList(elements: Iterable<string>): string {
  const sorted = [...elements].toSorted(compareText);
  const isClosed = sorted.every((element) => ELEMENT.test(element));
  assert(isClosed, "an element of a set is of the closed grammar");
  return sorted.join(", ");
}

function emptySets(): Record<SetName, Set<string>> {
  return {
    vips4: new Set(),
    vips6: new Set(),
    listeners4: new Set(),
    listeners6: new Set(),
    lanes: new Set(),
    peers4: new Set(),
    peers6: new Set(),
  };
}

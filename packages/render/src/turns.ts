// Listeners over TCP for which the kernel chooses the slot of a connection, and nginx does not: it
// connects to one port of the target, which stands for all slots, and to three slots after that
// where the first try fails. So a port of nginx's always goes on as the same port: with a port of
// the target for each slot of a member, theirs meet behind the one address of the host, and the
// kernel runs out of them (ADR 0041). Pure.

import { type Address, type ListenerResource, assert } from "@fairlead/model";

import { type SlotCount, SLOT_COUNTS } from "./slots.ts";

/** How the kernel chooses: the next slot of all connections, or any. */
export type Turn = "next" | "any";

/** Slots that are tried one after another when the one that the kernel chose fails. */
export const FURTHER_TRIES = 3;

/** As nftables says it, and the first port of the target; slots have those up to 1 020. */
const TURNS: Readonly<Record<Turn, { readonly numgen: string; readonly basePort: number }>> = {
  next: { numgen: "inc", basePort: 2000 },
  any: { numgen: "random", basePort: 4000 },
};

/** How the kernel chooses for a listener; undefined: nginx chooses, by its client or its load. */
export function turnOf({ protocol, affinity, balance }: ListenerResource): Turn | undefined {
  // UDP hashes always: else a reload deals all clients anew.
  if (protocol !== "tcp" || affinity.kind === "client-ip") return undefined;
  if (balance === "round-robin") return "next";
  return balance === "random" ? "any" : undefined;
}

/** The port of the target that stands for all slots of a listener with so many. */
export function turnPort(turn: Turn, count: SlotCount): number {
  return TURNS[turn].basePort + count;
}

/** The map of one family of addresses in the table: service address and number of the slot. */
export function turnMap(name: string, ip: "ip" | "ip6"): string {
  // Whichever count and way: the numbers of all are of one type.
  return `  map ${name} { typeof ${ip} saddr . numgen inc mod 24 : ${ip} daddr . tcp dport; }`;
}

/** The rules that choose from the map: first packets to the target's ports of turns. */
export function turnRules(ip: "ip" | "ip6", target: Address, map: string): readonly string[] {
  return Object.values(TURNS).flatMap(({ numgen, basePort }) =>
    SLOT_COUNTS.map((count) => {
      const key = `${ip} saddr . numgen ${numgen} mod ${count}`;
      return `    ${ip} daddr ${target} tcp dport ${basePort + count} dnat ${ip} to ${key} map @${map}`;
    }),
  );
}

/** An element of the map. `slot`: its number less one. */
export function turnKey(service: Address, slot: number): string {
  assert(slot >= 0 && slot < SLOT_COUNTS[2], "a slot of the largest listener at most");
  return `${service} . ${slot}`;
}

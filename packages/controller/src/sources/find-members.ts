// What is the same wherever members come from: how they are asked for, their order, and how many
// there may be. Pure.

import { type Member, compareAddress, compareBy, compareNumber } from "@fairlead/model";

import { quote } from "./quote.ts";
import type { RemarkList } from "./remarks.ts";
import type { ServicePort } from "./service-object.ts";

/** Most members of one listener: the largest member table of a data path has as many slots. */
const MEMBERS_MAX = 1024;

/** Finds the members of one port. */
export type FindMembers = (port: ServicePort) => readonly Member[];

/** A Service port in a detail: its name quoted, else its number. */
export function portWords(port: ServicePort): string {
  return port.name === "" ? `port ${port.port}` : `port ${quote(port.name)}`;
}

/**
 * Sorted by address and port, none twice; an active one wins over the same one draining, and
 * draining ones go first where there are too many.
 */
export function sortMembers(
  members: readonly Member[],
  port: ServicePort,
  remarks: RemarkList,
): readonly Member[] {
  const byKey = new Map<string, Member>();
  for (const member of members) {
    const key = `${member.address} ${member.port}`;
    if (byKey.get(key)?.state !== "active") byKey.set(key, member);
  }
  const sorted = [...byKey.values()].toSorted(byPlace);
  const left = sorted.length - MEMBERS_MAX;
  if (left <= 0) return sorted;
  remarks.remark("BadMember", `${portWords(port)}: ${left} members above ${MEMBERS_MAX} left out`);
  return sorted.toSorted(activeFirst).slice(0, MEMBERS_MAX).toSorted(byPlace);
}

const byPlace = compareBy<Member>(
  (a, b) => compareAddress(a.address, b.address),
  (a, b) => compareNumber(a.port, b.port),
);

/** Sorting keeps the order of those that are equal. */
function activeFirst(a: Member, b: Member): number {
  return Number(b.state === "active") - Number(a.state === "active");
}

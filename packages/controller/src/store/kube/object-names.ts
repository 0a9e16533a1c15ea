// The names of the store's objects: an address, a lane or an intent as a DNS name, no two alike, so
// that the API server itself keeps anything from standing there twice. Pure.

import { createHash } from "node:crypto";

import { type Address, type LaneId, familyOf, isSubdomain } from "@fairlead/model";

/** `192.0.2.10`; of IPv6 all eight groups of four digits, with dashes between. */
export function addressName(address: Address): string {
  return familyOf(address) === "ipv4" ? address : eightGroups(address);
}

/** `192.0.2.0-24.51`: the segment and the router id. */
export function laneName(lane: LaneId): string {
  const [network = "", length = "", routerId = ""] = lane.split(/[/#]/u);
  return `${network.includes(":") ? eightGroups(network) : network}-${length}.${routerId}`;
}

/** Ids of intents that are no names, or look like what stands for those, are hashed. */
const HASHED = "id-";
const INTENT_CHARACTERS_MAX = 200;

/** The id where it is a name, else what stands for it. */
export function intentName(id: string): string {
  const isName = isSubdomain(id) && id.length <= INTENT_CHARACTERS_MAX && !id.startsWith(HASHED);
  return isName ? id : `${HASHED}${createHash("sha256").update(id).digest("hex")}`;
}

/** Canonical text of an IPv6 address, spelled out: `2001-0db8-0000-...-0001`. */
function eightGroups(text: string): string {
  const [head = "", tail] = text.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  return groups.map((group) => group.padStart(4, "0")).join("-");
}

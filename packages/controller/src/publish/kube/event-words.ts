// What happened to a Service, as Events tell it: reasons, actions and notes. Pure. A note says what
// happened and why; where something is wrong it also says what to do, with the code.

import type { Address, LeasedAddress, Remark } from "@fairlead/model";

import type { MoveRecord } from "../../move-book.ts";
import { gapText } from "../../move-lines.ts";
import { eventSubject } from "./event-subject.ts";
import { boundedWords, remarkWords } from "./remark-words.ts";

/** An Event before it is known when it is written. */
export interface EventDraft {
  /** One word, as people select Events by it. */
  readonly reason: string;
  /** What was done, one word. */
  readonly action: string;
  readonly type: "Normal" | "Warning";
  /** At most 1000 bytes. */
  readonly note: string;
  /** Two of one Service with the same reason that are about the same are one that repeats. */
  readonly about: string;
}

type Leases = ReadonlyMap<Address, LeasedAddress>;

/** Addresses were given to it. */
export function allocatedEvent(addresses: readonly Address[], leases: Leases): EventDraft {
  const names = addresses.join(" and ");
  const note = boundedWords(
    `${names} ${isOrAre(addresses)} allocated${poolWords(addresses, leases)}.`,
  );
  return { reason: "AddressAllocated", action: "Allocate", type: "Normal", note, about: names };
}

/** Addresses that it had are free of it. */
export function releasedEvent(addresses: readonly Address[], leases: Leases): EventDraft {
  const names = addresses.join(" and ");
  const what = `${names} ${isOrAre(addresses)} released${poolWords(addresses, leases)}`;
  const them = addresses.length > 1 ? "them" : "it";
  const note = boundedWords(`${what}: no agent holds ${them} any more.`);
  return { reason: "AddressReleased", action: "Release", type: "Normal", note, about: names };
}

/** It will not be served. */
export function refusedEvent(main: Remark): EventDraft {
  return warning(main, "Refuse");
}

/** It is not served yet, or not as it asks for. */
export function pendingEvent(main: Remark): EventDraft {
  return warning(main, "Wait");
}

/** Another controller's addresses stand in the status of what we serve. */
export function intruderEvent(manager: string): EventDraft {
  const detail = `"${manager}" wrote status.loadBalancer, which is put right`;
  return warning({ reason: "OtherControllerActive", detail }, "Restore");
}

/** A daemon refused what it was given for it. */
export function rejectedEvent(remark: Remark): EventDraft {
  return warning(remark, "Configure");
}

/** Its addresses cannot stand in `spec.externalIPs`. */
export function externalEvent(why: string): EventDraft {
  return warning({ reason: "ExternalIPsRefused", detail: why }, "Publish");
}

/** It has no members. `cause`: what keeps them away, where that is known. */
export function noMembersEvent(cause: Remark | undefined, detail: string): EventDraft {
  const why = cause === undefined ? detail : `${detail}; ${cause.detail}`;
  return warning({ reason: "NoMembers", detail: why }, "Check");
}

/** An address is held by another agent than before. */
export function movedEvent(move: MoveRecord): EventDraft {
  const { address, from, to, why, heard } = move;
  const words = [why, heard].filter((text) => text !== "").join("; ");
  const what = `${address} moved from ${from} to ${to}, gap ${gapText(move)}`;
  const note = boundedWords(`${what}${words === "" ? "" : `: ${words}`}.`);
  const about = `${address} ${from} ${to}`;
  return { reason: "VipMoved", action: "Move", type: "Normal", note, about };
}

function warning(remark: Remark, action: string): EventDraft {
  const note = remarkWords(remark);
  return { reason: remark.reason, action, type: "Warning", note, about: eventSubject(remark) };
}

function isOrAre(addresses: readonly Address[]): string {
  return addresses.length > 1 ? "are" : "is";
}

function poolWords(addresses: readonly Address[], leases: Leases): string {
  const pools = new Set(addresses.flatMap((address) => leases.get(address)?.pool ?? []));
  if (pools.size === 0) return "";
  return ` ${pools.size > 1 ? "(pools" : "(pool"} ${[...pools].join(", ")})`;
}

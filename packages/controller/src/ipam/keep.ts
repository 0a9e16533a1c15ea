// Keeping registrations and giving them back: renewal, release, and what happens to those that are
// not renewed. Time is the service's own; see the context.

import { patchMap } from "@fairlead/model";

import { addressChanges, allotIn } from "./allot-in.ts";
import { refuse } from "./answers.ts";
import { claimIdOf } from "./ipam-claim.ts";
import type { IpamChange, Registration, Uuid } from "./ipam-model.ts";
import type { Refusal } from "./ipam-refusal.ts";
import {
  type ClassState,
  type Command,
  type Done,
  type IpamContext,
  type IpamState,
  withClass,
} from "./ipam-state.ts";

/** Gives an address back; it rests, and its last holder gets it again for as long as it does. */
export function release(uuid: Uuid): Command<undefined> {
  return (state, context) => {
    const registration = state.registrations.get(uuid);
    if (registration === undefined) return unknownRegistration(uuid);
    const { state: next, changes } = takeBack(state, context, [registration]);
    return { kind: "done", state: next, changes, value: undefined, isNew: false };
  };
}

/** Which of several were renewed, and which are not there. */
export interface Renewal {
  readonly renewed: readonly Registration[];
  readonly unknown: readonly Uuid[];
}

/** Renews one. */
export function renew(uuid: Uuid): Command<Registration> {
  return (state, context) => {
    const there = state.registrations.get(uuid);
    return there === undefined ? unknownRegistration(uuid) : renewed(state, context, there);
  };
}

/** Renews several; what is unknown keeps none of the others from being renewed. */
export function renewMany(uuids: readonly Uuid[]): Command<Renewal> {
  return (state, { nowMs }) => {
    const registrations = new Map<Uuid, Registration>();
    const unknown = new Set<Uuid>();
    for (const uuid of uuids) {
      const there = state.registrations.get(uuid);
      if (there === undefined) unknown.add(uuid);
      else registrations.set(uuid, { ...there, renewedMs: nowMs });
    }
    const all = [...registrations.values()];
    return {
      kind: "done",
      state: { ...state, registrations: patchMap(state.registrations, registrations) },
      changes: all.map((registration) => ({ kind: "put-registration", registration })),
      value: { renewed: all, unknown: [...unknown] },
      isNew: false,
    };
  };
}

/** Takes back what was not renewed, and lets go what has rested. Its value: what was taken back. */
export function sweep(): Command<readonly Registration[]> {
  return (state, context) => {
    const over = [...state.registrations.values()].filter(
      (one) => takenBackAtMs(one, context) <= context.nowMs,
    );
    const { state: next, changes } = takeBack(state, context, over);
    return { kind: "done", state: next, changes, value: over, isNew: false };
  };
}

/** When a registration expires unless it is renewed, by the service's own time. */
export function expiresAtMs(
  { renewedMs }: Registration,
  { openedMs, leaseMs }: Pick<IpamContext, "openedMs" | "leaseMs">,
): number {
  return Math.max(renewedMs, openedMs) + leaseMs;
}

function takenBackAtMs(registration: Registration, context: IpamContext): number {
  return expiresAtMs(registration, context) + context.graceMs;
}

function unknownRegistration(uuid: Uuid): Refusal {
  return refuse("UnknownRegistration", `no registration has the uuid ${uuid}`);
}

/** The outcome of one that is renewed. */
export function renewed(
  state: IpamState,
  { nowMs }: IpamContext,
  there: Registration,
): Done<Registration> {
  const registration = { ...there, renewedMs: nowMs };
  const registrations = patchMap(state.registrations, new Map([[there.uuid, registration]]));
  return {
    kind: "done",
    state: { ...state, registrations },
    changes: [{ kind: "put-registration", registration }],
    value: registration,
    isNew: false,
  };
}

function takeBack(
  state: IpamState,
  context: IpamContext,
  gone: readonly Registration[],
): { readonly state: IpamState; readonly changes: readonly IpamChange[] } {
  let next = state;
  const changes: IpamChange[] = [];
  for (const { uuid } of gone) changes.push({ kind: "delete-registration", uuid });
  for (const world of state.classes.values()) {
    const left = gone.filter((one) => one.class === world.class.uuid);
    if (left.length === 0 && !hasRested(world, context)) continue;
    const claims = patchMap(
      world.claims,
      new Map(left.map((one) => [claimIdOf(one.uuid), undefined])),
    );
    const { leases } = allotIn({ ...world, claims }, context);
    changes.push(...addressChanges(world, leases));
    next = withClass(next, { ...world, claims, leases });
  }
  const removed = new Map(gone.map(({ uuid }) => [uuid, undefined]));
  const registrations = patchMap(next.registrations, removed);
  return { state: { ...next, registrations }, changes };
}

function hasRested({ leases }: ClassState, { nowMs }: IpamContext): boolean {
  for (const { state } of leases.values()) {
    if (state.kind === "quarantined" && state.untilMs <= nowMs) return true;
  }
  return false;
}

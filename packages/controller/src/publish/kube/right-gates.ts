// Who waits for a right that is missing: in each namespace one write is tried now and then, and
// when it goes through all of them go. Given who is to be told when it is time to try again. Who
// waits is a Service by its claim's id, or an Event.

import type { Clock, Timer } from "@fairlead/runtime";

import type { Right, Troubles } from "./publish-trouble.ts";
import { createWriteGate, type WriteGate } from "./write-gate.ts";

/** A right in a namespace. */
export interface RightThere {
  readonly right: Right;
  readonly namespace: string;
}

/** The gates of all rights that are missing somewhere. */
export interface RightGates<Waiter> extends Disposable {
  /** Whether a write may go now; else it waits, and is handed to `onDue` in time. */
  enter(there: RightThere, waiter: Waiter): boolean;
  /** The right is there. */
  passed(there: RightThere): void;
  /** A write failed: for lack of the right, or without an answer about it. */
  failed(there: RightThere, error?: Error): void;
  /** It needs no write any more. */
  leave(waiter: Waiter): void;
}

/** What the gates need. */
export interface RightGatesOptions<Waiter> {
  readonly clock: Clock;
  readonly random: () => number;
  readonly troubles: Troubles;
  /** It may be tried again. */
  readonly onDue: (waiter: Waiter) => void;
}

interface Place<Waiter> {
  readonly there: RightThere;
  readonly gate: WriteGate;
  readonly waiting: Set<Waiter>;
  timer?: Timer;
}

/** Makes the gates; all are open. */
export function createRightGates<Waiter>(options: RightGatesOptions<Waiter>): RightGates<Waiter> {
  const { clock, random, troubles, onDue } = options;
  /** Those that are closed. */
  const places = new Map<string, Place<Waiter>>();

  function close(there: RightThere): Place<Waiter> {
    const place = { there, gate: createWriteGate(random), waiting: new Set<Waiter>() };
    places.set(keyOf(there), place);
    return place;
  }

  function open(place: Place<Waiter>): void {
    const { there, waiting, timer } = place;
    timer?.cancel();
    places.delete(keyOf(there));
    troubles.works(there.right, there.namespace);
    for (const waiter of waiting) onDue(waiter);
  }

  /** Calls those who wait when the next try may go. */
  function callInTime(place: Place<Waiter>): void {
    place.timer?.cancel();
    const dueMs = place.gate.dueMs();
    // One is tried: its end is waited for.
    if (dueMs === undefined) return;
    place.timer = clock.setTimer(dueMs - clock.nowMs(), () => {
      // Timers of a real clock may fire a moment early; nobody calls those whom that turns away.
      if (place.gate.mayEnter(clock.nowMs())) callAll(place);
      else callInTime(place);
    });
  }

  function callAll({ waiting }: Place<Waiter>): void {
    // The first to come is tried; the others wait on, and come into the same set again.
    const called = Array.from(waiting);
    for (const waiter of called) onDue(waiter);
  }

  return {
    enter: (there, waiter) => {
      const place = places.get(keyOf(there));
      if (place === undefined) return true;
      if (place.gate.mayEnter(clock.nowMs())) {
        place.gate.enter();
        place.waiting.delete(waiter);
        return true;
      }
      place.waiting.add(waiter);
      return false;
    },
    passed: (there) => {
      const place = places.get(keyOf(there));
      if (place !== undefined) open(place);
    },
    failed: (there, error) => {
      const known = places.get(keyOf(there));
      if (known === undefined && error === undefined) return;
      const place = known ?? close(there);
      place.gate.failed(clock.nowMs());
      if (error !== undefined) troubles.lacks(there.right, there.namespace, error);
      callInTime(place);
    },
    leave: (waiter) => {
      for (const place of places.values()) {
        if (!place.waiting.delete(waiter) || place.waiting.size > 0) continue;
        // Nobody is left who would find out that the right is there again.
        if (place.gate.dueMs() !== undefined) open(place);
      }
    },
    [Symbol.dispose]: () => {
      for (const { timer } of places.values()) timer?.cancel();
    },
  };
}

function keyOf({ right, namespace }: RightThere): string {
  return `${right.verb} ${right.resource} ${namespace}`;
}

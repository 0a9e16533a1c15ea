// The loop as others see it: what it is made of and what it does. It stands apart from the loop,
// which is long enough.

import type { PlanSettings, Resource, Revision } from "@fairlead/model";
import type { Clock, Logger } from "@fairlead/runtime";

import type { Act, ActResult } from "./acts/act.ts";
import type { CycleView } from "./cycle-view.ts";
import type { Fact } from "./facts.ts";
import type { MoveRecord } from "./move-book.ts";
import type { Election, PlanDelivery, Publisher, Source, Store } from "./ports.ts";

/** What the loop is made of. */
export interface CycleOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: PlanSettings;
  readonly election: Election;
  readonly store: Store;
  readonly sources: readonly Source[];
  readonly delivery: PlanDelivery;
  readonly publishers: readonly Publisher[];
  readonly revisionOf: (resource: Resource) => Revision;
  /** Told how long each cycle's planning took, in ms. */
  readonly onCycle?: (tookMs: number) => void;
  /** Told after each cycle of addresses that another agent holds than before; mostly of none. */
  readonly onMoved?: (moves: readonly MoveRecord[]) => void;
  /** What `view` shows may differ now: after a cycle, and with what is found before the first. */
  readonly onSaid?: () => void;
  /** Another controller took a later epoch, and no election shows it: this one must end. */
  readonly onFenced: (epoch: number) => void;
  /** Its store can never be opened, found when it came to lead later than at its start. */
  readonly onFailed: (error: Error) => void;
}

/** The running loop. */
export interface Cycle extends AsyncDisposable {
  /**
   * Tries for the lead, opens the store where it is won, and the sources. Rejects with the first
   * EdgeError of any.
   */
  start(): Promise<void>;
  /** Takes facts in. */
  emit(facts: readonly Fact[]): void;
  view(): CycleView;
  /** Does what an operator asks for, in the next cycle; resolves when it is durable or denied. */
  act(act: Act): Promise<ActResult>;
  /** Resolves when everything emitted so far went round. */
  settled(): Promise<void>;
}

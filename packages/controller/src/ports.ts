// What the controller's loop needs of the outside world, as small as it needs it. Adapters
// implement these in folders named after their technology; the loop knows no adapter.

import type {
  Address,
  AgentName,
  AgentView,
  Claim,
  ClaimId,
  Finding,
  Intent,
  Lane,
  LaneId,
  LeasedAddress,
  NodePlan,
  Reason,
  Remark,
  ResourceName,
  Revision,
  Verdict,
} from "@fairlead/model";
import type { MayStillGet } from "@fairlead/planner";
import type { Wish } from "@fairlead/wire";

import type { Fact } from "./facts.ts";
import type { MoveBook } from "./move-book.ts";

/** A kind of input: delivers facts until it is disposed. */
export interface Source extends AsyncDisposable {
  /** Unique among the sources of a controller: `folder`, `pools`. */
  readonly name: string;
  /**
   * Starts delivering. Resolves when everything was listed whole once, with its `source-listed`
   * fact among those emitted. Rejects with an EdgeError only when it can never work.
   */
  start(emit: (facts: readonly Fact[]) => void): Promise<void>;
  /**
   * Says each of these claims again whose status, as far as it is ours, says other addresses than
   * when the claim was said. Absent: it knows no statuses.
   */
  sayStatuses?(claims: ReadonlySet<ClaimId>): Promise<void>;
}

/** What a store holds at its opening. */
export interface StoredState {
  /** The epoch that this opening took: one above every earlier one. Every write carries it. */
  readonly epoch: number;
  readonly leases: readonly LeasedAddress[];
  readonly lanes: readonly Lane[];
  readonly intents: readonly Intent[];
}

/** One change of the store. Puts replace the whole row. */
export type StoreChange =
  | { readonly kind: "put-lease"; readonly lease: LeasedAddress }
  | { readonly kind: "delete-lease"; readonly address: Address }
  | { readonly kind: "put-lane"; readonly lane: Lane }
  | { readonly kind: "delete-lane"; readonly lane: LaneId }
  | { readonly kind: "put-intent"; readonly intent: Intent }
  | { readonly kind: "delete-intent"; readonly id: string };

/** `fenced`: a later epoch was taken by another controller; this one must stop writing. */
export type CommitResult =
  | { readonly kind: "committed" }
  | { readonly kind: "fenced"; readonly epoch: number };

/** An epoch that was taken while the store is open, or `fenced` as in a commit. */
export type OutrankResult =
  | { readonly kind: "outranked"; readonly epoch: number }
  | { readonly kind: "fenced"; readonly epoch: number };

/** Where leases, lanes and intents live. Asynchronous, few calls, an epoch on every write. */
export interface Store extends AsyncDisposable {
  /**
   * Takes the next epoch and reads everything. Called before anything is planned, and again each
   * time that this controller leads anew; what an earlier epoch had under way counts for nothing.
   */
  open(): Promise<StoredState>;
  /**
   * While another controller leads: reads what `open` would, so that less is left to read then. It
   * changes nothing, and what it has read counts only where `open` finds nothing committed since.
   */
  readAhead?(): Promise<void>;
  /**
   * Makes all changes durable, or none. When it resolves with `committed` they survive a power
   * cut. Rejects with an EdgeError when the store cannot be written. Nothing was changed then, or
   * nobody answered whether it was; the next commit puts that back, and writes something even
   * without changes: it tells whether the store can be written again. Any other without changes
   * writes nothing.
   */
  commit(epoch: number, changes: readonly StoreChange[]): Promise<CommitResult>;
  /**
   * Takes the epoch after `obeyed`, durably, for the controller that has `epoch`; every later write
   * carries the new one. Rejects like `commit`. Only for an `obeyed` that is not below `epoch`.
   */
  outrank(epoch: number, obeyed: number): Promise<OutrankResult>;
}

/** Who leads, as this controller knows it. */
export interface ElectionView {
  /** By the monotonic clock and at this very moment: false also for one that hung for too long. */
  readonly leads: boolean;
  /** Who leads, as it names itself; absent: nobody, or nobody is known. */
  readonly holder?: string;
  /** Why the lead can be neither had nor seen, lower case; absent when all is well. */
  readonly trouble?: string;
  /** That trouble is that nobody answers where the lead is kept. */
  readonly isUnreachable?: true;
}

/** Told as it happens; `onLead` and `onLost` come in turns, and `onLead` first. */
export interface ElectionEvents {
  onLead(): void;
  onLost(): void;
  /** The view may differ. */
  onChange(): void;
}

/** Decides which of the controllers over one store leads. Disposing gives the lead up at once. */
export interface Election extends AsyncDisposable {
  /** How others know this controller: unique to the process. */
  readonly identity: string;
  /**
   * Tries for the lead, and goes on trying until disposed. Resolves after the first try, whatever
   * came of it; rejects with an EdgeError only when it can never work.
   */
  start(events: ElectionEvents): Promise<void>;
  /** Asked before every write and every delivery: it waits for nothing. */
  view(): ElectionView;
  /** So long after another one took the lead no view says that it is ours, in ms; 0: nobody can. */
  readonly noticesMs: number;
}

/** Whose the lead is: `nobodys` when it was given up, and who takes it is not known yet. */
export type LeadOwner = "ours" | "nobodys" | "anothers";

/** Sends node plans to agents, the difference only, and turns what they say into facts. */
export interface PlanDelivery {
  /**
   * The plans that are now wanted. Replaces what was wanted before; returns at once.
   * @param leases the stored leases: a VIP that goes while its address is still held by a claim is
   * a removal that nobody confirmed.
   */
  deliver(wanted: {
    readonly epoch: number;
    readonly plans: ReadonlyMap<AgentName, NodePlan>;
    readonly leases: ReadonlyMap<Address, LeasedAddress>;
  }): void;
  /**
   * Asks this of an agent. False, and nobody is asked, where it is not connected, or has not
   * reported yet.
   */
  ask?(agent: AgentName, wish: Wish): boolean;
  /**
   * Tells, as it is at this moment and stays, whether an agent has an address by its last answer,
   * by an update that it has not answered, or by what waits for that answer: a report without the
   * address is then older than what it will do. False when nothing is known.
   */
  sentByNow?(): MayStillGet;
  /**
   * Takes agents while the lead is ours, lets those who come wait while it is nobody's, and sends
   * them on while it is another's; once it is ours no more, nothing is wanted any more of what was
   * delivered. At first it is another's.
   */
  setLead?(whose: LeadOwner): void;
}

/** How an agent's plan compares with the wanted one. */
export interface SyncState {
  /** The plan that it shall have, what it refused left out; absent while that is not known. */
  readonly wanted?: Revision;
  /** The plan that it applied last, by its own word. */
  readonly acked?: Revision;
  /** `unknown`: no stream, or no plan yet. */
  readonly state: "in-sync" | "behind" | "rejected" | "unknown";
  /** Why, lower case; empty when in sync. */
  readonly detail: string;
  /** The agent's own reason for the first thing that it left out; absent where it is none. */
  readonly reason?: Reason;
  /** When `rejected` is about parts of the plan alone: which, and how the rest of it stands. */
  readonly parts?: RejectedParts;
}

/** What of a plan is not as it is wanted, while the agent has the rest. */
export interface RejectedParts {
  /** What the agent did not take or does not serve, by name; empty: what is amiss has none. */
  readonly refused: readonly (readonly [ResourceName, Remark])[];
  readonly rest: Pick<SyncState, "state" | "detail">;
}

/** Everything that is said to the outside after a cycle. */
export interface Publication {
  readonly claims: ReadonlyMap<ClaimId, Claim>;
  readonly verdicts: ReadonlyMap<ClaimId, Verdict>;
  /** As they are stored: what they name as owner, or drain from, is held for it. */
  readonly leases: ReadonlyMap<Address, LeasedAddress>;
  /** As they are stored. */
  readonly intents: readonly Intent[];
  readonly agents: ReadonlyMap<AgentName, AgentView>;
  /** The last moves of each address and why, the latest first; since this controller leads. */
  readonly moves: MoveBook["moves"];
  /** Sorted by subject and name. */
  readonly findings: readonly Finding[];
}

/** Writes verdicts where people look for them. One that works on by itself can be disposed. */
export interface Publisher extends Partial<AsyncDisposable> {
  readonly name: string;
  /**
   * Makes the outside say this; writes only what differs from what it wrote last. Rejects with an
   * EdgeError when something could not be written; the rest was.
   */
  publish(publication: Publication): Promise<void>;
  /** Another controller speaks: nothing more is written before the next publication. */
  pause?(): void;
}

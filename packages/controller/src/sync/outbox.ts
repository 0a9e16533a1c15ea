// What goes to one agent next. A pure state machine: what is wanted, what the agent has by its own
// word, and at most one update in flight, so that newer state merges while an answer is awaited.
// It survives streams; the server feeds it events and sends what it answers.

import type { AgentHello, ResourceName, Revision } from "@fairlead/model";
import {
  type Ack,
  type Inventory,
  type OutgoingUpdate,
  type Revisions,
  UPDATE_BYTES_MAX,
  type UpdateRefusal,
} from "@fairlead/wire";

import { type Cut, cutUpdate } from "./cut-update.ts";
import { afterAck, type Held, type InFlight } from "./after-ack.ts";
import { type Refusal, type Target, targetOf } from "./target.ts";
import type { WantedPlan } from "./wanted-plan.ts";

/** The open stream of an agent. */
export interface OutboxStream {
  /** Highest epoch that the agent obeyed. */
  readonly epoch: number;
  readonly planRevision: Revision | undefined;
  /** Whether the inventory was asked for and has not come. */
  readonly isAsking: boolean;
  /** Of the last update of this stream, 0 before the first. */
  readonly nonce: number;
}

/** The state of one agent's outbox. Never changed in place. */
export interface Outbox {
  readonly wanted?: WantedPlan;
  readonly stream?: OutboxStream;
  /** Absent: not known. */
  readonly held?: Held;
  readonly inFlight?: InFlight;
  /** Contents that the agent did not take; offered again when they change. */
  readonly refused: ReadonlyMap<ResourceName, Refusal>;
  /** The last update that was refused whole; the same one is not sent again. */
  readonly refusal?: { readonly kind: UpdateRefusal; readonly update: OutgoingUpdate };
  /** Version of the agent that `refused` is about. */
  readonly version?: string;
  /** Plan that the agent applied last, by its reports. */
  readonly applied?: Revision;
  /** The last report since this stream began and since the agent took what it has; absent: none. */
  readonly reported?: { readonly applied: Revision | undefined };
  /** What its reports name as not served, by the revision that has the problem. */
  readonly problems: ReadonlyMap<ResourceName, Refusal>;
}

/** What happens to an outbox. */
export type OutboxEvent =
  | { readonly kind: "wanted"; readonly wanted: WantedPlan }
  | { readonly kind: "hello"; readonly hello: AgentHello }
  | { readonly kind: "inventory"; readonly inventory: Inventory }
  | { readonly kind: "ack"; readonly ack: Ack }
  | {
      readonly kind: "reported";
      readonly applied: Revision | undefined;
      readonly problems: ReadonlyMap<ResourceName, Refusal>;
      /** Whether it came just now; else it is the one of an earlier stream, believed again. */
      readonly isNew: boolean;
    }
  | { readonly kind: "gone" };

/** What shall be sent. */
export type OutboxMessage =
  | { readonly kind: "inventory-wanted" }
  | { readonly kind: "update"; readonly update: OutgoingUpdate };

/**
 * Whether the agent may have the resource although its last report does not name it: it has it by
 * its last answer, by what it has not answered or by what its answer sets free, or the report is of
 * a plan before that.
 */
export function mayStillGet(outbox: Outbox, name: ResourceName): boolean {
  const { held, inFlight, reported, wanted } = outbox;
  if (reported === undefined) return true;
  // Once it is known what the agent has, what is wanted now goes out before the next plan.
  const isWanted = wanted?.entries.has(name) === true;
  if (held === undefined) return isWanted || !isReportOfItsPlan(outbox);
  if (reported.applied !== held.revision || held.entries.has(name)) return true;
  if (inFlight === undefined) return false;
  // The answer may come while the next plan is made, and then what waits goes out before that plan.
  return inFlight.result.has(name) || isWanted;
}

/**
 * Whether the report is of the very plan that the agent said to have as its stream began. Nothing
 * was sent since, as what it has is not known: the report names all that it may have.
 */
function isReportOfItsPlan({ stream, reported, refusal }: Outbox): boolean {
  if (stream === undefined || refusal?.kind === "wrong-base") return false;
  return stream.planRevision !== undefined && reported?.applied === stream.planRevision;
}

/** The state after an event, and the one message that it calls for. */
export interface OutboxStep {
  readonly outbox: Outbox;
  readonly send?: OutboxMessage;
}

/** What stepping needs. */
export interface OutboxContext {
  readonly planRevisionOf: Revisions["planRevisionOf"];
  /** An update is cut at about this size. */
  readonly bytesMax: number;
}

/** An outbox of which nothing is known. */
export const EMPTY_OUTBOX: Outbox = { refused: new Map(), problems: new Map() };

/** The usual context. */
export function outboxContext(revisions: Revisions): OutboxContext {
  return { planRevisionOf: revisions.planRevisionOf, bytesMax: UPDATE_BYTES_MAX };
}

/** Takes one event in. */
export function stepOutbox(outbox: Outbox, event: OutboxEvent, context: OutboxContext): OutboxStep {
  switch (event.kind) {
    case "wanted":
      return sendNext(onWanted(outbox, event.wanted), context);
    case "hello":
      return sendNext(onHello(outbox, event.hello), context);
    case "inventory":
      return sendNext(onInventory(outbox, event.inventory, context), context);
    case "ack":
      return sendNext(onAck(outbox, event.ack, context), context);
    case "reported": {
      const { applied: _, ...rest } = outbox;
      const { applied, problems, isNew } = event;
      const reported = isNew ? { reported: { applied } } : {};
      return { outbox: { ...rest, ...appliedOf(applied), ...reported, problems } };
    }
    case "gone": {
      const { stream: _, ...rest } = outbox;
      return { outbox: rest };
    }
  }
}

/** What the agent shall have at the end; undefined while that cannot be known. */
export function outboxTarget(outbox: Outbox): Target | undefined {
  const { wanted, held, refused } = outbox;
  return wanted && held && targetOf(wanted, held.entries, refused);
}

/** Forgets refusals of contents that are not wanted any more. */
function onWanted(outbox: Outbox, wanted: WantedPlan): Outbox {
  const { refused } = outbox;
  if (refused.size === 0) return { ...outbox, wanted };
  const staying = [...refused].filter(
    ([name, { revision }]) => wanted.resources.get(name)?.revision === revision,
  );
  return { ...outbox, wanted, refused: new Map(staying) };
}

/** A new stream: what the agent says of its plan decides whether what is known still holds. */
function onHello(outbox: Outbox, hello: AgentHello): Outbox {
  const { held: _held, inFlight: _inFlight, applied: _applied, ...known } = outbox;
  const { refusal, reported: _reported, ...rest } = known;
  const isOtherBuild = hello.version !== outbox.version;
  const isStillRefused = !isOtherBuild && refusal !== undefined && refusal.kind !== "wrong-base";
  const held = heldAfterHello(outbox, hello.planRevision);
  return {
    ...rest,
    ...(isStillRefused ? { refusal } : {}),
    ...(held === undefined ? {} : { held }),
    ...appliedOf(hello.planRevision),
    stream: { epoch: hello.epoch, planRevision: hello.planRevision, isAsking: false, nonce: 0 },
    version: hello.version,
    // Another build may take what the one before did not.
    refused: isOtherBuild ? new Map() : outbox.refused,
  };
}

function heldAfterHello(outbox: Outbox, revision: Revision | undefined): Held | undefined {
  if (revision === undefined) return { entries: new Map(), revision };
  const { held, inFlight } = outbox;
  if (held?.revision === revision) return held;
  // The answer to this one was lost with the stream before.
  if (inFlight?.update.newRevision !== revision) return undefined;
  return { entries: inFlight.result, revision };
}

function onInventory(outbox: Outbox, inventory: Inventory, context: OutboxContext): Outbox {
  if (outbox.stream?.isAsking !== true) return outbox;
  const { inFlight: _, ...rest } = outbox;
  const held = { entries: inventory, revision: context.planRevisionOf(inventory) };
  return { ...rest, held, stream: { ...outbox.stream, isAsking: false } };
}

function onAck(outbox: Outbox, ack: Ack, context: OutboxContext): Outbox {
  const { inFlight, held, ...rest } = outbox;
  // Later steps of an update that was taken already say nothing new here; reports do.
  if (inFlight?.update.nonce !== ack.nonce || held === undefined) return outbox;
  if (ack.refusal !== undefined) return onRefusal(outbox, ack.refusal, inFlight);
  const { refusal: _refusal, reported: _reported, ...taken } = rest;
  const { entries, refused } = afterAck({ inFlight, held, ack, refused: outbox.refused });
  const revision =
    ack.nacks.length === 0 ? inFlight.update.newRevision : context.planRevisionOf(entries);
  return { ...taken, held: { entries, revision }, refused };
}

function onRefusal(outbox: Outbox, kind: UpdateRefusal, inFlight: InFlight): Outbox {
  const { inFlight: _, held, ...rest } = outbox;
  const { update } = inFlight;
  if (kind === "wrong-base") return { ...rest, refusal: { kind, update } };
  return { ...rest, ...(held === undefined ? {} : { held }), refusal: { kind, update } };
}

/** Sends what is next: nothing, the question for the inventory, or an update. */
function sendNext(outbox: Outbox, context: OutboxContext): OutboxStep {
  const { wanted, stream, inFlight } = outbox;
  if (wanted === undefined || stream === undefined) return { outbox };
  if (inFlight !== undefined || stream.isAsking || stream.epoch > wanted.epoch) return { outbox };
  const held = outbox.held ?? heldAsWanted(outbox, wanted, stream);
  if (held === undefined) {
    const asking = { ...outbox, stream: { ...stream, isAsking: true } };
    return { outbox: asking, send: { kind: "inventory-wanted" } };
  }
  const known = { ...outbox, held };
  if (isDone(wanted, held, outbox.refused)) return { outbox: known };
  const target = targetOf(wanted, held.entries, outbox.refused);
  const cut = cutUpdate(wanted, { has: held.entries, target: target.entries }, context.bytesMax);
  if (cut === undefined && held.revision !== undefined) return { outbox: known };
  const update = updateOf({ wanted, stream, held, cut }, context);
  if (isSameUpdate(outbox.refusal?.update, update)) return { outbox: known };
  const result = cut?.result ?? held.entries;
  return {
    outbox: {
      ...known,
      stream: { ...stream, nonce: update.nonce },
      inFlight: { update, result },
    },
    send: { kind: "update", update },
  };
}

/** The usual case, seen without comparing the entries of two large plans. */
function isDone(wanted: WantedPlan, held: Held, refused: Outbox["refused"]): boolean {
  return held.revision === wanted.revision && refused.size === 0;
}

/** An agent whose plan has the wanted revision has the wanted plan: no need to ask. */
function heldAsWanted(outbox: Outbox, wanted: WantedPlan, stream: OutboxStream): Held | undefined {
  // After a wrong base what the agent said at the start of the stream counts for nothing.
  if (outbox.refusal?.kind === "wrong-base") return undefined;
  if (stream.planRevision !== wanted.revision) return undefined;
  return { entries: wanted.entries, revision: wanted.revision };
}

/** Without a cut it is the empty plan for an agent that never had one. */
function updateOf(
  parts: { wanted: WantedPlan; stream: OutboxStream; held: Held; cut: Cut | undefined },
  context: OutboxContext,
): OutgoingUpdate {
  const { wanted, stream, held, cut } = parts;
  return {
    nonce: stream.nonce + 1,
    epoch: wanted.epoch,
    baseRevision: held.revision,
    newRevision: context.planRevisionOf(cut?.result ?? held.entries),
    upserts: cut?.upserts ?? [],
    tombstones: cut?.tombstones ?? [],
    confirmed: cut?.confirmed ?? true,
  };
}

function isSameUpdate(a: OutgoingUpdate | undefined, b: OutgoingUpdate): boolean {
  return (
    a !== undefined &&
    a.epoch === b.epoch &&
    a.baseRevision === b.baseRevision &&
    a.newRevision === b.newRevision &&
    a.confirmed === b.confirmed
  );
}

function appliedOf(applied: Revision | undefined): { readonly applied?: Revision } {
  return applied === undefined ? {} : { applied };
}

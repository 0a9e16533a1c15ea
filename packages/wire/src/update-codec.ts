// Updates and their acknowledgements to messages and back. An update that is readable but holds
// resources that are not says so one by one: the others can be taken.

import { create } from "@bufbuild/protobuf";
import type { ResourceName, Revision, Step } from "@fairlead/model";
import * as pb from "@fairlead/proto";
import { revisionFromBytes, revisionToBytes } from "./address-bytes.ts";
import { complete, counter, type Decoded, decodeAll, ok, refused } from "./decoded.ts";
import { decodeResource, encodeResource, type RevisedResource } from "./node-plan-codec.ts";
import { parseResourceName } from "./resource-name.ts";
import { decodeProblem, encodeProblem, type ResourceProblem } from "./resource-report-codec.ts";
import { REFUSALS, STEPS, type UpdateRefusal } from "./words.ts";

/** A difference between two plans, as the controller makes it. */
export interface OutgoingUpdate {
  readonly nonce: number;
  readonly epoch: number;
  /** Plan that the difference is from; absent: from nothing. */
  readonly baseRevision: Revision | undefined;
  readonly newRevision: Revision;
  readonly upserts: readonly RevisedResource[];
  readonly tombstones: readonly ResourceName[];
  /** Every VIP that it removes was seen to go. */
  readonly confirmed: boolean;
}

/** One resource that was not taken, or is not served, and why. */
export interface Nack {
  readonly name: ResourceName;
  readonly problem: ResourceProblem;
}

/** An update as the agent reads it. */
export interface IncomingUpdate extends OutgoingUpdate {
  /** Resources that are not of the closed types, or whose names or revisions cannot be. */
  readonly unreadable: readonly Nack[];
}

/** How far an update has come, or why it was refused whole. */
export interface Ack {
  readonly nonce: number;
  /** Present unless refused. */
  readonly step?: Step;
  readonly refusal?: UpdateRefusal;
  readonly nacks: readonly Nack[];
}

/** Makes the message. */
export function encodeUpdate(update: OutgoingUpdate): pb.Update {
  return create(pb.UpdateSchema, {
    nonce: BigInt(update.nonce),
    epoch: BigInt(update.epoch),
    baseRevision: revisionToBytes(update.baseRevision),
    newRevision: revisionToBytes(update.newRevision),
    upserts: update.upserts.map(({ resource, revision }) => encodeResource(resource, revision)),
    tombstones: [...update.tombstones],
    confirmed: update.confirmed,
  });
}

/** Reads the message. */
export function decodeUpdate(message: pb.Update): Decoded<IncomingUpdate> {
  const tombstones = decodeAll(message.tombstones, (text) => {
    const name = parseResourceName(text)?.name;
    return name === undefined ? refused("update: bad tombstone") : ok(name);
  });
  if (tombstones.kind === "refused") return tombstones;
  const upserts = decodeUpserts(message.upserts);
  if (upserts.kind === "refused") return upserts;
  const fields = complete("update", {
    nonce: counter(message.nonce),
    epoch: counter(message.epoch),
    baseRevision:
      message.baseRevision.length === 0 ? ("" as const) : revisionFromBytes(message.baseRevision),
    newRevision: revisionFromBytes(message.newRevision),
  });
  if (fields.kind === "refused") return fields;
  const { baseRevision, ...rest } = fields.value;
  return ok({
    ...rest,
    baseRevision: baseRevision === "" ? undefined : baseRevision,
    ...upserts.value,
    tombstones: tombstones.value,
    confirmed: message.confirmed,
  });
}

/** Without a name and a revision a resource cannot even be refused by itself. */
function decodeUpserts(
  messages: readonly pb.Resource[],
): Decoded<Pick<IncomingUpdate, "upserts" | "unreadable">> {
  const upserts: RevisedResource[] = [];
  const unreadable: Nack[] = [];
  for (const message of messages) {
    const decoded = decodeResource(message);
    if (decoded.kind === "ok") {
      upserts.push(decoded.value);
      continue;
    }
    const name = parseResourceName(message.name)?.name;
    const revision = revisionFromBytes(message.revision);
    if (name === undefined || revision === undefined) return decoded;
    const { reason, detail } = decoded;
    unreadable.push({ name, problem: { reason, detail, revision } });
  }
  return ok({ upserts, unreadable });
}

/** Makes the message. */
export function encodeAck(ack: Ack): pb.Ack {
  return create(pb.AckSchema, {
    nonce: BigInt(ack.nonce),
    step: ack.step === undefined ? pb.Step.UNSPECIFIED : STEPS.number(ack.step),
    refusal: ack.refusal === undefined ? pb.Refusal.UNSPECIFIED : REFUSALS.number(ack.refusal),
    nacks: ack.nacks.map(({ name, problem }) => ({
      name,
      problem: encodeProblem(problem, problem.revision),
    })),
  });
}

/** Reads the message: it has a step or a refusal, never both. */
export function decodeAck(message: pb.Ack): Decoded<Ack> {
  const nonce = counter(message.nonce);
  if (nonce === undefined) return refused("ack: bad nonce");
  const nacks = decodeAll(message.nacks, decodeNack);
  if (nacks.kind === "refused") return nacks;
  const step = STEPS.word(message.step);
  const refusal = REFUSALS.word(message.refusal);
  if (step !== undefined && message.refusal === pb.Refusal.UNSPECIFIED) {
    return ok({ nonce, step, nacks: nacks.value });
  }
  if (refusal !== undefined && message.step === pb.Step.UNSPECIFIED) {
    return ok({ nonce, refusal, nacks: nacks.value });
  }
  return refused("ack: neither a step nor a refusal");
}

function decodeNack(message: pb.Nack): Decoded<Nack> {
  const name = parseResourceName(message.name)?.name;
  if (name === undefined || message.problem === undefined) return refused("ack: bad nack");
  const problem = decodeProblem(message.problem);
  return problem.kind === "refused" ? problem : ok({ name, problem: problem.value });
}

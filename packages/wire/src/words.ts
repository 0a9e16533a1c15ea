// The closed words of the model and their numbers in the contract, one table a kind. A number that
// has no word here is undefined when it is read, 0 (unspecified) always so.

import type { Balance, LaneHearing, LaneReport, Protocol, Step } from "@fairlead/model";
import * as pb from "@fairlead/proto";

/** A two-way table between words and numbers. */
export interface Words<Word extends string, Value extends number = number> {
  number(word: Word): Value;
  word(number: number): Word | undefined;
}

/** TCP and UDP. */
export const PROTOCOLS: Words<Protocol, pb.Protocol> = words({
  tcp: pb.Protocol.TCP,
  udp: pb.Protocol.UDP,
});

/** How connections are spread. */
export const BALANCES: Words<Balance, pb.Balance> = words({
  "round-robin": pb.Balance.ROUND_ROBIN,
  "least-conn": pb.Balance.LEAST_CONN,
  hash: pb.Balance.HASH,
  random: pb.Balance.RANDOM,
});

/** PROXY protocol towards members. */
export const PROXY_PROTOCOLS: Words<"none" | "v1" | "v2", pb.ProxyProtocol> = words({
  none: pb.ProxyProtocol.NONE,
  v1: pb.ProxyProtocol.V1,
  v2: pb.ProxyProtocol.V2,
});

/** How far something has come. */
export const STEPS: Words<Step, pb.Step> = words({
  received: pb.Step.RECEIVED,
  validated: pb.Step.VALIDATED,
  applied: pb.Step.APPLIED,
  serving: pb.Step.SERVING,
});

/** What an agent has of a lane. */
export const LANE_STATES: Words<LaneReport["state"], pb.LaneState> = words({
  holder: pb.LaneState.HOLDER,
  successor: pb.LaneState.SUCCESSOR,
  fault: pb.LaneState.FAULT,
  absent: pb.LaneState.ABSENT,
});

/** Whether an agent hears a lane's holder. */
export const HEARING_STATES: Words<LaneHearing["state"], pb.HearingState> = words({
  heard: pb.HearingState.HEARD,
  unheard: pb.HearingState.UNHEARD,
  unable: pb.HearingState.UNABLE,
});

/** Why a whole update was refused; nothing of it was taken. */
export type UpdateRefusal = "stale-epoch" | "wrong-base" | "unconfirmed-removal" | "invalid";

/** Refusals of whole updates. */
export const REFUSALS: Words<UpdateRefusal, pb.Refusal> = words({
  "stale-epoch": pb.Refusal.STALE_EPOCH,
  "wrong-base": pb.Refusal.WRONG_BASE,
  "unconfirmed-removal": pb.Refusal.UNCONFIRMED_REMOVAL,
  invalid: pb.Refusal.INVALID,
});

function words<Word extends string, Value extends number>(
  table: Readonly<Record<Word, Value>>,
): Words<Word, Value> {
  const back = new Map<number, Word>();
  for (const word of Object.keys(table) as Word[]) back.set(table[word], word);
  return { number: (word) => table[word], word: (number) => back.get(number) };
}

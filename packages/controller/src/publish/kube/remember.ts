// What an earlier life of the controller told of a Service, by the conditions that it left there: a
// restart tells nothing twice. Pure. What began when nobody was there to tell it is told.

import type { Reason } from "@fairlead/model";

import {
  CONDITION_PREFIX,
  type RecordedCondition,
  type ServiceRecord,
} from "../../kube/service-record.ts";
import { LASTING_MS, nothingTold, rejectionOf, type Spell, type Told, waitOf } from "./tell.ts";
import type { WantedService } from "./wanted-service.ts";

/** What counts as told of a Service that this life sees for the first time. */
export function remember(
  { uid, conditions }: ServiceRecord,
  { claim, held }: WantedService,
  at: { readonly nowMs: number; readonly wallMs: number },
): Told {
  const told = { ...nothingTold(uid), held };
  if (claim === undefined || conditions.length === 0) return told;
  const { verdict } = claim;
  const { state, main } = verdict;
  const wait = waitOf(verdict);
  const addresses = allocatedIn(conditions);
  const known = main && conditions.find(({ reason }) => reason === main.reason);
  const rejection = rejectionOf(verdict);
  // A remark beside stands in no condition: who wrote these is taken to have told it.
  const isRejectionTold = rejection !== undefined && (rejection !== main || known !== undefined);
  const lack = conditions.find(
    ({ type, status }) => type === `${CONDITION_PREFIX}MembersReady` && status === "False",
  );
  return {
    ...told,
    allocated: verdict.addresses.flatMap(({ address }) =>
      addresses.has(address) ? [address] : [],
    ),
    ...(state === "refused" && main !== undefined && known !== undefined
      ? { refused: main.reason }
      : {}),
    ...(isRejectionTold ? { rejected: rejection.detail } : {}),
    ...(wait !== undefined && known !== undefined
      ? { pending: spellOf(known, wait.reason, at) }
      : {}),
    ...(lack === undefined ? {} : { memberless: spellOf(lack, "NoMembers", at) }),
  };
}

/** The words of the condition: `192.0.2.10 and 2001:db8::1 are allocated.` */
function allocatedIn(conditions: readonly RecordedCondition[]): ReadonlySet<string> {
  const found = conditions.find(
    ({ type, status }) => type === `${CONDITION_PREFIX}AddressAllocated` && status === "True",
  );
  const [names = ""] = found?.message.split(/ (?:is|are) allocated/u, 1) ?? [];
  return new Set(names.split(" and "));
}

function spellOf(
  { lastTransitionTime }: RecordedCondition,
  reason: Reason,
  { nowMs, wallMs }: { readonly nowMs: number; readonly wallMs: number },
): Spell {
  const atMs = Date.parse(lastTransitionTime);
  const ageMs = Number.isNaN(atMs) ? 0 : Math.max(0, wallMs - atMs);
  const sinceMs = nowMs - ageMs;
  const spell = { sinceMs, reason, reasonSinceMs: sinceMs };
  return ageMs < LASTING_MS ? spell : { ...spell, told: reason };
}

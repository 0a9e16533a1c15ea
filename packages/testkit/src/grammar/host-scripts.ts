// What a fake host's `nft` would be given: the texts that a real agent makes of what the ports of
// the guard and of the table of members were asked for. Given the host; it loads nothing.

import { guardSets, tableChange, wholeTable } from "@fairlead/agent";
import {
  fillSlots,
  memberChangeScript,
  memberTableScript,
  slotFilling,
  turnOf,
} from "@fairlead/render";

import type { FakeHost } from "../fakes/fake-host-types.ts";
import { FAKE_RANGES } from "../fakes/fake-member-table.ts";

/** Any will do: the scripts are never loaded. */
const TURN = { from: 1, to: 2 };

/** The whole guard for each time that it was asked for, and each change from one to the next. */
export function guardScripts({ guard }: FakeHost): readonly string[] {
  const sets = guard.asked.map(({ guarded }) => guardSets(guarded));
  return sets.flatMap((to, at) => {
    const from = sets[at - 1];
    const change = from === undefined ? undefined : tableChange(from, to, TURN);
    return [wholeTable(to, TURN.to), ...(change === undefined ? [] : [change])];
  });
}

/** The table of members as it was filled last: whole, and as a change of an empty one. */
export function memberScripts({ memberTable }: FakeHost): readonly string[] {
  const tables = memberTable.filled.map(({ listener, members, place }) => {
    const { address, port, protocol } = listener;
    const slots = fillSlots(members.members, place.slots, slotFilling(listener));
    const takesTurns = turnOf(listener) !== undefined;
    return { address, port, protocol, service: place.service, slots, takesTurns };
  });
  const change = memberChangeScript(
    tables.map((after) => ({ after })),
    () => tables,
    TURN,
  );
  const whole = memberTableScript(FAKE_RANGES, tables, TURN.to);
  return [whole, ...(change === undefined ? [] : [change])];
}

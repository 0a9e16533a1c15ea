// One address that is not free as a row. Pure.

import { type AgentName, claimTitle, type LeasedAddress, portText } from "@fairlead/model";
import { standsBy } from "@fairlead/planner";
import type { AddressRowSchema, MessageInitShape } from "@fairlead/wire";

import type { CycleView } from "../../cycle-view.ts";
import type { AdminContext } from "./admin-context.ts";
import { wholeMs } from "./age.ts";
import { couldHold, holdingsOf, laneOf, orderOf } from "./evidence.ts";

/** The row of a leased address. */
export function addressRow(
  { nowMs, view }: AdminContext,
  lease: LeasedAddress,
): MessageInitShape<typeof AddressRowSchema> {
  const { address, pool, owners, placement, state, sentTo, sharingKey } = lease;
  const holder = holdingsOf(view, address, couldHold(view, lease))[0]?.agent.name;
  return {
    address,
    pool,
    owners: owners.map(({ claim }) => claimTitle(claim)),
    state: state.kind,
    ...(holder === undefined ? {} : { holder }),
    ...(placement.kind === "lane" ? { lane: placement.lane } : {}),
    order: [...orderOf(view, lease)],
    standingBy: standingBy(view, lease),
    waitingFor: state.kind === "draining" ? [...sentTo] : [],
    ageMs: wholeMs(nowMs - lease.sinceMs),
    ports: owners.map(
      ({ claim, ports }) => `${claimTitle(claim)} ${ports.map(portText).join(",")}`,
    ),
    ...(sharingKey === undefined ? {} : { sharingKey }),
    lastOwner: claimTitle(lease.lastClaim),
    published: lease.published,
    ...(state.kind === "quarantined" ? { quarantinedUntilMs: wholeMs(state.untilMs) } : {}),
  };
}

/** Agents that hold it next, by their own word; none in a mode without lanes. */
function standingBy(view: CycleView, lease: LeasedAddress): AgentName[] {
  const lane = laneOf(view, lease);
  return lane?.order.filter((agent) => standsBy(view.state, lane, agent)) ?? [];
}

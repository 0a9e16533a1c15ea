// What operators ask of a ring at random: moves, drains, rebalances and that nothing move. Given
// the ring and the numbers. What came of it is not looked at: a refusal is as good as a deed.

import type { Act } from "@fairlead/controller";

import type { Ring } from "../scenario/ring.ts";
import type { Dice } from "./chaos.ts";

/** Asks for one thing, and says what. */
export function doOperatorsDeed(ring: Ring, dice: Dice): string {
  const agent = dice.pick([...ring.agents.values()]).name;
  const addresses = [...ring.medium.leases.keys()];
  const acts: readonly Act[] = [
    { kind: "drain", agent, isDryRun: false },
    { kind: "uncordon", agent },
    { kind: "uncordon", agent },
    { kind: "rebalance", isDryRun: false },
    { kind: "freeze" },
    { kind: "thaw" },
    { kind: "thaw" },
    ...(addresses.length === 0
      ? []
      : [{ kind: "move", address: dice.pick(addresses), to: agent, isDryRun: false } as const]),
  ];
  const act = dice.pick(acts);
  ring.controller.act(act);
  const about = "agent" in act ? ` ${act.agent}` : "";
  return act.kind === "move" ? `move ${act.address} to ${act.to}` : `${act.kind}${about}`;
}

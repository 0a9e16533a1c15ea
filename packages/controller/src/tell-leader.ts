// Who leads, told as one who stands by sees it: in the log each other one once and when it is no
// longer known, to the streams whose the lead is. Given both; it remembers what it told.

import type { Logger } from "@fairlead/runtime";

import type { ElectionView, LeadOwner } from "./ports.ts";

/** To whom it is told. */
export interface LeaderTellerOptions {
  readonly log: Logger;
  /** Whose the lead is, each time that this changes; another's at first. */
  readonly onOwner: (whose: LeadOwner) => void;
}

/** Tells who leads. */
export interface LeaderTeller {
  /** This controller leads. */
  lead(): void;
  /** It stands by, from its start or as its lead is over: the log gets a line whatever is seen. */
  standBy(view: ElectionView): void;
  /** It sees this while it stands by. Before the first `standBy` the log gets nothing. */
  see(view: ElectionView): void;
}

/** Makes it. A trouble whose words alone change is not told again: they change at each try. */
export function createLeaderTeller({ log, onOwner }: LeaderTellerOptions): LeaderTeller {
  let owner: LeadOwner = "anothers";
  let told: { readonly holder: string | undefined; readonly isKnown: boolean } | undefined;

  function tellOwner(whose: LeadOwner): void {
    if (whose === owner) return;
    owner = whose;
    onOwner(whose);
  }

  function tellLog({ holder, trouble }: ElectionView): void {
    const was = told;
    // Between one leader and the next nobody leads for a moment, which is not worth a line.
    told = { holder: holder ?? was?.holder, isKnown: trouble === undefined };
    if (trouble === undefined) {
      const isNew = was === undefined || !was.isKnown || told.holder !== was.holder;
      if (isNew) log.info({ holder: holder ?? "nobody" }, "standing by");
    } else if (was?.isKnown !== false) {
      log.warn({ trouble }, "it is not known who leads");
    }
  }

  return {
    lead: () => tellOwner("ours"),
    standBy: (view) => {
      told = undefined;
      tellLog(view);
      tellOwner(ownerSeen(view));
    },
    see: (view) => {
      if (told !== undefined) tellLog(view);
      tellOwner(ownerSeen(view));
    },
  };
}

/** Whose the lead is where it is not ours. */
function ownerSeen({ holder, trouble }: ElectionView): LeadOwner {
  // Who cannot see the lead does not know that nobody has it.
  return holder === undefined && trouble === undefined ? "nobodys" : "anothers";
}

// One thing that happens to a world between two plans, with the words that a failing property
// shows. Types and one maker.

import type { Plan, World } from "@fairlead/model";
import fc from "fast-check";

/** Something that happens between two plans: the next world of this one and its plan. */
export interface Happening {
  readonly what: string;
  readonly apply: (world: World, plan: Plan) => World;
}

/** Makes one. `what` is shown by fast-check when a property fails. */
export function happening(what: string, apply: Happening["apply"]): Happening {
  return Object.assign({ what, apply }, { [fc.toStringMethod]: () => what });
}

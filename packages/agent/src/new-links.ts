// Counts devices of lanes that appear while the agent runs. keepalived starts without such a device
// and takes it up when it comes, but its lane then stays successor for ever, also when nobody else
// lives: only reading the file again helps (2.2.7, tried).

import type { DeviceName, Link } from "@fairlead/model";

import type { AcceptedPlan } from "./ports.ts";
import { remembered } from "./remembered.ts";

/** The devices that were seen, look by look. */
export interface NewLinks {
  /** How many appeared so far. */
  readonly count: number;
  /** Takes a look's links; whether a device appeared that a wanted lane runs on. */
  look(links: readonly Link[], wanted: AcceptedPlan | undefined): boolean;
}

/** Makes it; the first look is the beginning, and nothing appears in it. */
export function createNewLinks(): NewLinks {
  let known: ReadonlySet<DeviceName> | undefined;
  let count = 0;
  const laneLinks = remembered(laneLinksOf);
  return {
    get count() {
      return count;
    },
    look(links, wanted) {
      const before = known;
      const now = new Set(links.map((link) => link.name));
      known = now;
      if (before === undefined) return false;
      const appeared = [...laneLinks(wanted)].filter((name) => now.has(name) && !before.has(name));
      count += appeared.length;
      return appeared.length > 0;
    },
  };
}

function laneLinksOf(wanted: AcceptedPlan | undefined): ReadonlySet<DeviceName> {
  const names = new Set<DeviceName>();
  for (const resource of wanted?.plan.resources.values() ?? []) {
    if (resource.kind === "lane") names.add(resource.link);
  }
  return names;
}

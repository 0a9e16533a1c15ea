// Looks at the names and versions of one kind a second time, now and then: it finds what a watch
// did not show, and confirms what a list lacked. Given the set; it changes nothing but through it.

import type { Clock, Timer } from "@fairlead/runtime";

import { ABSENCE_MS } from "../../judge-absence.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import { listPages } from "../../kube/list-pages.ts";
import { readMeta } from "./object-meta.ts";
import type { LookOutcome, ObjectMeta, ObjectSet } from "./object-set.ts";

/** Without any doubt, names and versions are looked at again after this long, in ms. */
const LOOK_MS_DEFAULT = 600_000;
/** In doubt, and once after the first list: a little after the moment at which absence counts. */
export const LOOK_SOON_MS: number = ABSENCE_MS + 1000;

/** What is looked at. */
export interface SecondLookOptions<T> {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly path: string;
  readonly set: ObjectSet<T>;
  /** Time between two looks while nothing is in doubt, in ms. Default: ten minutes. */
  readonly lookMs?: number | undefined;
  readonly onOutcome: (outcome: LookOutcome<T>) => void;
}

/** Looks at its time. Disposing ends a look under way. */
export interface SecondLook extends AsyncDisposable {
  /** Sets the time of the next look anew: soon, or after some ten minutes. */
  plan(when: "soon" | "later"): void;
}

/** Makes it; nothing is looked at before `plan`. */
export function createSecondLook<T>(options: SecondLookOptions<T>): SecondLook {
  const { client, clock, random, path, set, lookMs = LOOK_MS_DEFAULT, onOutcome } = options;
  const stop = new AbortController();
  let timer: Timer | undefined;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    let listed: ObjectMeta[] = [];
    const takeIn = set.beginLook();
    try {
      const version = await listPages({
        client,
        path,
        namesOnly: true,
        signal: stop.signal,
        onPage: (items) => {
          for (const item of items) {
            const meta = readMeta(item);
            if (meta !== undefined) listed.push(meta);
          }
        },
        onRestart: () => {
          listed = [];
        },
      });
      const outcome = takeIn(listed, version, clock.nowMs());
      plan(outcome.isDoubtful ? "soon" : "later");
      onOutcome(outcome);
    } catch {
      // The watch meets the same trouble and tells of it; the look is made up for.
      plan("soon");
    }
  }

  function plan(when: "soon" | "later"): void {
    timer?.cancel();
    if (stop.signal.aborted) return;
    const delayMs = when === "soon" ? LOOK_SOON_MS : lookMs * (1 + random() / 10);
    timer = clock.setTimer(delayMs, () => {
      looking = look();
    });
  }

  return {
    plan,
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error("stopped"));
      timer?.cancel();
      await looking;
      timer?.cancel();
    },
  };
}

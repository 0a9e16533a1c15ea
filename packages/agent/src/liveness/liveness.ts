// Looks ten times a second whether the daemons really work, and lets lanes leave a host that cannot
// serve them. Given the loop's view and nginx's answer; it decides nothing of what shall be held.
// Ends a frozen keepalived or nginx, whose supervisor starts it anew; writes the track files.

import type { LaneResource } from "@fairlead/model";
import { type Clock, type Logger, type Timer, describeError } from "@fairlead/runtime";

import type { ConvergeView } from "../converge-view.ts";
import type { DataPlaneLayout } from "../data-plane-layout.ts";
import type { AcceptedPlan, NginxDaemon } from "../ports.ts";
import { endGroup } from "./end-processes.ts";
import { createKeepalivedWatch, type KeepalivedWatch } from "./keepalived-watch.ts";
import { childrenOf, leaderOf, lookAt } from "./process-look.ts";
import { createSilence, type Silence } from "./silence.ts";
import type { TrackFiles } from "./track-files.ts";

/** What it is made of. */
export interface LivenessOptions {
  readonly layout: DataPlaneLayout;
  readonly clock: Clock;
  readonly log: Logger;
  readonly nginx: Pick<NginxDaemon, "generation">;
  readonly files: Pick<TrackFiles, "wish" | "isDown" | "setDown">;
  readonly view: () => Pick<ConvergeView, "wanted" | "applied">;
}

/** A frozen keepalived has its addresses for three adverts, 300 ms, before others take them. */
const TICK_MS = 100;

/** Starts looking. */
export function createLiveness(options: LivenessOptions): AsyncDisposable {
  return new Watch(options);
}

/** The lanes of a plan. */
export function lanesOf(plan: AcceptedPlan | undefined): readonly LaneResource[] {
  return [...(plan?.plan.resources.values() ?? [])].filter((one) => one.kind === "lane");
}

class Watch implements AsyncDisposable {
  readonly #options: LivenessOptions;
  readonly #keepalived: KeepalivedWatch;
  readonly #silence: Silence;
  readonly #files: LivenessOptions["files"];
  #timer: Timer | undefined;
  /** Whose wishes stand in the files. */
  #written: AcceptedPlan | undefined;
  #isDown = false;
  #trouble: string | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isEnded = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#keepalived = createKeepalivedWatch(options);
    this.#silence = createSilence(() => answersOf(options.nginx));
    this.#files = options.files;
    this.#arm();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    this.#timer?.cancel();
    await this.#writing;
  }

  /** The next tick comes after what this one writes: two of them never meet in a file. */
  #arm(): void {
    if (this.#isEnded) return;
    this.#timer = this.#options.clock.setTimer(TICK_MS, () => {
      this.#writing = this.#tick().then(() => this.#arm());
    });
  }

  async #tick(): Promise<void> {
    this.#keepalived.look();
    try {
      await this.#followDataPath();
      await this.#writeWishes();
      this.#trouble = undefined;
    } catch (error) {
      this.#complain(describeError(error));
    }
  }

  async #followDataPath(): Promise<void> {
    const { layout, log, view } = this.#options;
    const answering = this.#silence.tick();
    const isDown = this.#files.isDown();
    if (isDown && !this.#isDown) {
      log.warn({}, "nginx does not serve: lanes with a successor leave this host");
      this.#isDown = true;
      // It answered before it was said to be down.
      this.#silence.forget();
    } else if (isDown && answering === "answers") {
      // Workers of a dead master answer until they are ended.
      if (leaderOf(layout.nginx.incarnation) === undefined) return;
      await this.#files.setDown(false);
      this.#isDown = false;
      log.info({}, "nginx serves again: lanes may come back to this host");
    } else if (answering === "silent") {
      endFrozen(layout.nginx.incarnation);
      // Of one that never served nothing is known, and its supervisor has said what it saw.
      if (!isDown && view().applied.generation !== undefined) await this.#files.setDown(true);
    }
  }

  async #writeWishes(): Promise<void> {
    const { wanted } = this.#options.view();
    if (wanted === this.#written) return;
    await this.#files.wish(lanesOf(wanted));
    this.#written = wanted;
  }

  /** The next tick tries again; what is said is said once. */
  #complain(trouble: string): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#options.log.error({ trouble }, "the track files cannot be written");
  }
}

/** Without a free descriptor nothing can be asked, and that is the agent's own trouble. */
async function answersOf(nginx: LivenessOptions["nginx"]): Promise<boolean | undefined> {
  if ((await nginx.generation()) !== undefined) return true;
  return lookAt(process.pid) === undefined ? undefined : false;
}

/** A stopped process of nginx never comes back by itself; its supervisor starts it anew. */
function endFrozen(incarnation: string): void {
  const leader = leaderOf(incarnation);
  if (leader === undefined) return;
  const all = [leader, ...childrenOf(leader.pid).map(lookAt)];
  if (all.some((one) => one?.state === "T")) endGroup(leader);
}

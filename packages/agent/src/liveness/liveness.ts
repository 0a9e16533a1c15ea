// Looks some times a second whether the daemons really work, and lets lanes leave a host that
// cannot serve them. Given the loop's view and the answers of both nginx; it decides nothing of
// what shall be held. Ends a frozen keepalived or nginx, whose supervisor starts it anew; writes
// track files.

import type { LaneResource } from "@fairlead/model";
import { type Clock, type Logger, type Timer, describeError } from "@fairlead/runtime";

import type { ConvergeView } from "../converge-view.ts";
import type { DataPlaneLayout } from "../data-plane-layout.ts";
import { heldVips } from "../held-vips.ts";
import type { AcceptedPlan, MemberTable, NginxDaemon } from "../ports.ts";
import { remembered } from "../remembered.ts";
import { createDataPathWatch, type DataPathWatch } from "./data-path-watch.ts";
import { createKeepalivedWatch, type KeepalivedWatch } from "./keepalived-watch.ts";
import type { TrackFiles } from "./track-files.ts";
import { createUdpPathWatch } from "./udp-path-watch.ts";

/** What it is made of. */
export interface LivenessOptions {
  readonly layout: DataPlaneLayout;
  readonly clock: Clock;
  readonly log: Logger;
  readonly nginx: Pick<NginxDaemon, "generation">;
  readonly nginxUdp: Pick<NginxDaemon, "generation">;
  /** By which both reach members; absent: they reach them themselves. */
  readonly members?: Pick<MemberTable, "isLost">;
  readonly files: Pick<TrackFiles, "wish">;
  readonly view: () => Pick<ConvergeView, "wanted" | "applied" | "look">;
}

/**
 * Each tick wakes an idle host, which is most of what the agent costs there: ten a second are 0.2 %
 * of a core. So they are seldom while nothing is the matter, and frequent once one look shows what
 * a second one has to confirm: a frozen keepalived has its addresses for three adverts, 300 ms,
 * before others take them, and is ended by then.
 */
const UNIT_MS = 50;
const CALM_UNITS = 4;

/** The loop of looks. */
export interface Liveness extends AsyncDisposable {
  /** A plan came: what it wishes of the lanes is written at once. */
  planned(): void;
}

/** Starts looking. */
export function createLiveness(options: LivenessOptions): Liveness {
  return new Watch(options);
}

/** The lanes of a plan. */
export function lanesOf(plan: AcceptedPlan | undefined): readonly LaneResource[] {
  return [...(plan?.plan.resources.values() ?? [])].filter((one) => one.kind === "lane");
}

class Watch implements Liveness {
  readonly #options: LivenessOptions;
  readonly #keepalived: KeepalivedWatch;
  readonly #dataPaths: readonly DataPathWatch[];
  readonly #files: LivenessOptions["files"];
  #timer: Timer | undefined;
  /** Whose wishes stand in the files. */
  #written: AcceptedPlan | undefined;
  #trouble: string | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isUnsettled = false;
  #isEnded = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#keepalived = createKeepalivedWatch(options);
    const { layout, log, view, nginx, nginxUdp, members } = options;
    const countHeld = remembered(heldVips);
    const isAtRest = (): boolean => {
      const { look } = view();
      return look !== undefined && countHeld(look.report.resources) === 0;
    };
    this.#dataPaths = [
      createDataPathWatch({
        name: "nginx",
        nginx,
        log,
        incarnation: layout.nginx.incarnation,
        trackFile: layout.keepalived.dataPath,
        isServing: () => view().applied.generation !== undefined,
        isCut: () => members?.isLost === true,
        isAtRest,
        onDoubt: () => this.#hurry(),
      }),
      createUdpPathWatch({ layout, log, view, nginx: nginxUdp, isAtRest }),
    ];
    this.#files = options.files;
    this.#arm();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    this.#timer?.cancel();
    await this.#writing;
    for (const watch of [this.#keepalived, ...this.#dataPaths]) watch[Symbol.dispose]();
  }

  planned(): void {
    if (!this.#isEnded) void this.#write(() => this.#writeWishes());
  }

  /** The next tick comes after what this one writes: two of them never meet in a file. */
  #arm(): void {
    if (this.#isEnded) return;
    const units = this.#isUnsettled ? 1 : CALM_UNITS;
    this.#timer = this.#options.clock.setTimer(units * UNIT_MS, () => {
      this.#timer = undefined;
      this.#isUnsettled = this.#keepalived.look();
      void this.#write(() => this.#tick(units)).finally(() => this.#arm());
    });
  }

  /** What came between two ticks is not left to a calm one. */
  #hurry(): void {
    this.#isUnsettled = true;
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#arm();
  }

  async #tick(units: number): Promise<void> {
    for (const watch of this.#dataPaths) {
      if (await watch.tick(units)) this.#isUnsettled = true;
    }
    await this.#writeWishes();
    this.#trouble = undefined;
  }

  /** In turn, whoever began it. What fails is tried again by the next tick. */
  #write(work: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing
      .then(work)
      .catch((error: unknown) => this.#complain(describeError(error)));
    return this.#writing;
  }

  async #writeWishes(): Promise<void> {
    const { wanted } = this.#options.view();
    if (wanted === this.#written) return;
    await this.#files.wish(lanesOf(wanted));
    this.#written = wanted;
  }

  /** What is said is said once. */
  #complain(trouble: string): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#options.log.error({ trouble }, "the track files cannot be written");
  }
}

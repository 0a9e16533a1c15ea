// Whether the nginx for UDP serves. It runs only while there are listeners for it, so silence may
// be its good right; and one that is full of made-up clients is silent too, but must not take lanes
// off this host with the TCP connections in them. Given the loop's view and the files.

import { existsSync } from "node:fs";
import { join } from "node:path";

import type { Logger } from "@fairlead/runtime";

import type { ConvergeView } from "../converge-view.ts";
import type { DataPlaneLayout } from "../data-plane-layout.ts";
import type { NginxDaemon } from "../ports.ts";
import { createDataPathWatch, type DataPathWatch } from "./data-path-watch.ts";
import { childrenOf, leaderOf, lookAt, type ProcessLook } from "./process-look.ts";
import { createDownFile } from "./track-files.ts";

/** What it is made of. */
export interface UdpPathWatchOptions {
  readonly layout: Pick<DataPlaneLayout, "keepalived" | "nginxUdp" | "serviceDir">;
  readonly log: Logger;
  readonly nginx: Pick<NginxDaemon, "generation">;
  readonly view: () => Pick<ConvergeView, "applied">;
  readonly isAtRest: () => boolean;
}

/** Makes the watch; nothing is asked before the first tick. */
export function createUdpPathWatch(options: UdpPathWatchOptions): DataPathWatch {
  return new Watch(options);
}

class Watch implements DataPathWatch {
  readonly #options: UdpPathWatchOptions;
  readonly #dataPath: DataPathWatch;
  /** The newest worker at the look before; absent where that was not a look at a silent one. */
  #before: ProcessLook | undefined;
  #isSilent = false;
  /** Whether nothing is left of what was said of an instance that is ended. */
  #isVoid = false;

  constructor(options: UdpPathWatchOptions) {
    const { layout, log, nginx, isAtRest } = options;
    this.#options = options;
    this.#dataPath = createDataPathWatch({
      name: "nginx for UDP",
      nginx,
      log,
      incarnation: layout.nginxUdp.incarnation,
      trackFile: layout.keepalived.dataPathUdp,
      isServing: () => this.#isServing(),
      mayBeDown: () => this.#isGone() && !this.#shallBeDown(),
      isAtRest,
    });
  }

  async tick(units: number): Promise<boolean> {
    if (!this.#isServing()) {
      await this.#forget();
      return false;
    }
    this.#isVoid = false;
    this.#isSilent = false;
    const isFirst = this.#before === undefined;
    const isUnsettled = await this.#dataPath.tick(units);
    if (!this.#isSilent) this.#before = undefined;
    // Whether its worker lives on is seen by the next look.
    return isUnsettled || (isFirst && this.#before !== undefined);
  }

  [Symbol.dispose](): void {
    this.#dataPath[Symbol.dispose]();
  }

  #isServing(): boolean {
    return this.#options.view().applied.udpGeneration !== undefined;
  }

  /** Nothing is served over UDP any more: what was said of the last that was, is void. */
  async #forget(): Promise<void> {
    const { keepalived, nginxUdp } = this.#options.layout;
    if (this.#isVoid || existsSync(nginxUdp.config)) return;
    const file = createDownFile(keepalived.dataPathUdp);
    if (file.isDown()) await file.setDown(false);
    this.#isVoid = true;
  }

  /** Whether a silent one has no worker that lives on from one look to the next. */
  #isGone(): boolean {
    const worker = newestWorker(this.#options.layout.nginxUdp.incarnation);
    const before = this.#before;
    this.#isSilent = true;
    this.#before = worker;
    if (worker === undefined) return true;
    return before !== undefined && !isSame(before, worker);
  }

  /** Its service keeps this file while it shall stay down. */
  #shallBeDown(): boolean {
    return existsSync(join(this.#options.layout.serviceDir, "nginx-udp", "down"));
  }
}

/** Older ones may be of a generation that ends, and live on while newer ones crash. */
function newestWorker(incarnation: string): ProcessLook | undefined {
  const leader = leaderOf(incarnation);
  const newest = leader === undefined ? undefined : childrenOf(leader.pid).at(-1);
  return newest === undefined ? undefined : lookAt(newest);
}

function isSame(one: ProcessLook, other: ProcessLook): boolean {
  return one.pid === other.pid && one.startTicks === other.startTicks;
}

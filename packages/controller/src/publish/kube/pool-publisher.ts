// Publishes the status of each AddressPool of a cluster. Given the records of pools, and a client
// to write by. All statuses are looked at together and now and then, so that a thousand Services
// that are given addresses cost a few writes; what says what stands there already is not written.
// Each write carries uid and resource version: a deleted pool must not come back by it. A pool
// whose status the server does not take is tried again by itself, and keeps no other waiting.

import { isDeepStrictEqual } from "node:util";

import type { Clock, Timer } from "@fairlead/runtime";

import { isRightMissing } from "../../kube/grant-commands.ts";
import type { KubeClient, KubeRequest } from "../../kube/kube-client.ts";
import { isJson } from "../../kube/object-fields.ts";
import { type PoolRecord, type PoolRecords, POOLS_PATH } from "../../kube/pool-record.ts";
import { STATUS_MANAGER } from "../../kube/service-record.ts";
import { countUsage, type PoolUsage } from "../../pool-usage.ts";
import type { Publication, Publisher } from "../../ports.ts";
import { PoolMemory } from "./pool-memory.ts";
import { type PoolStatus, wantedPoolStatus } from "./pool-status.ts";
import {
  createTroubles,
  FAILURES_TOLD,
  type PublishTrouble,
  type Right,
} from "./publish-trouble.ts";
import { createWriteGate } from "./write-gate.ts";
import { askedMs, failureResult, type OnWrite } from "./write-result.ts";

/** Statuses are looked at so often at the most, in ms. */
const LOOK_MS = 5000;
/** After a rest the first look waits so long for what follows at once, in ms. */
const SETTLE_MS = 200;
const RIGHT: Right = { verb: "patch", resource: "addresspools.fairlead.io/status" };
/** Finding about pools whose writes fail. */
const WRITES = "kubernetes pool writes";

/** How pools are published. */
export interface PoolPublisherOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly pools: PoolRecords;
  /** Told when something keeps us from writing, and when it does so no longer. */
  readonly onTrouble: (trouble: PublishTrouble) => void;
  /** For metrics. */
  readonly onWrite: OnWrite;
}

/** Makes the publisher; nothing is written before the first publication. */
export function createPoolPublisher(options: PoolPublisherOptions): Publisher & AsyncDisposable {
  const work = new PoolWriter(options);
  const unsubscribe = options.pools.subscribe(() => work.poke());
  return {
    name: "kubernetes pools",
    publish: (publication) => {
      work.take(publication);
      return Promise.resolve();
    },
    pause: () => work.pause(),
    [Symbol.asyncDispose]: async () => {
      unsubscribe();
      await work.stop();
    },
  };
}

class PoolWriter {
  readonly #options: PoolPublisherOptions;
  readonly #gate: ReturnType<typeof createWriteGate>;
  readonly #troubles: ReturnType<typeof createTroubles>;
  readonly #stop = new AbortController();
  readonly #memory: PoolMemory;
  #publication: Publication | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isDue = false;

  constructor(options: PoolPublisherOptions) {
    this.#options = options;
    this.#gate = createWriteGate(options.random);
    this.#troubles = createTroubles(options.onTrouble, WRITES);
    this.#memory = new PoolMemory(options.random);
  }

  take(publication: Publication): void {
    this.#publication = publication;
    this.poke();
  }

  /** Nothing is known of usage any more; a look under way ends, and nothing ails writes. */
  pause(): void {
    this.#publication = undefined;
    this.#troubles.works(RIGHT, "");
    for (const uid of this.#memory.failing()) this.#isWell(uid);
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Something may differ: a look follows in its time. */
  poke(): void {
    this.#isDue = true;
    if (this.#timer !== undefined || this.#running !== undefined) return;
    if (this.#stop.signal.aborted) return;
    if (this.#publication === undefined) return;
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    const dueMs = Math.max(
      nowMs + SETTLE_MS,
      this.#lookedMs + LOOK_MS,
      this.#gate.dueMs() ?? nowMs,
    );
    this.#timer = clock.setTimer(dueMs - nowMs, () => {
      this.#timer = undefined;
      this.#running = this.#look().finally(() => {
        this.#running = undefined;
        if (this.#isDue) this.poke();
      });
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    this.#timer?.cancel();
    await this.#running;
  }

  async #look(): Promise<void> {
    const { clock, pools } = this.#options;
    this.#isDue = false;
    this.#lookedMs = clock.nowMs();
    const records = [...pools.all()];
    this.#forget(new Set(records.map(({ uid }) => uid)));
    if (records.length === 0 || this.#publication === undefined) return;
    const usage = countUsage(this.#publication.leases.values());
    for (const record of this.#memory.inTurn(records)) {
      const isOver = this.#stop.signal.aborted || this.#publication === undefined;
      if (isOver || !this.#gate.mayEnter(clock.nowMs())) break;
      const newest = this.#memory.overlaid(record);
      const status = this.#wanted(newest, usage);
      const isSaid =
        isDeepStrictEqual(status, newest.status) || this.#memory.isSettled(newest, status);
      if (isSaid) this.#isWell(record.uid);
      else if (!this.#memory.rests(newest, clock.nowMs())) await this.#write(newest, status);
    }
    const isOwed = this.#gate.dueMs() !== undefined || this.#memory.failing().length > 0;
    if (isOwed) this.#isDue = true;
  }

  #wanted(record: PoolRecord, usage: PoolUsage): PoolStatus {
    const { reading, name } = record;
    const now = `${new Date(this.#options.clock.wallMs()).toISOString().slice(0, 19)}Z`;
    const findings = (this.#publication?.findings ?? []).filter(
      (finding) => finding.subject === "pool" && finding.name === name,
    );
    const uses = reading.kind === "pool" ? usage.of(reading.pool) : [];
    return wantedPoolStatus({ record, findings, uses, now });
  }

  async #write(record: PoolRecord, status: PoolStatus): Promise<void> {
    const { client, onWrite } = this.#options;
    const { signal } = this.#stop;
    this.#gate.enter();
    try {
      const answer = await client.request(poolStatusRequest(record, status), signal);
      onWrite("pool", "written");
      this.#answered();
      this.#isWell(record.uid);
      if (isJson(answer)) this.#memory.written(record.uid, answer, status);
    } catch (error) {
      if (!signal.aborted) this.#failed(record, error);
    }
  }

  #failed(record: PoolRecord, error: unknown): void {
    const { clock, onWrite } = this.#options;
    const result = failureResult(error);
    if (result === undefined || !(error instanceof Error)) throw error;
    onWrite("pool", result);
    const nowMs = clock.nowMs();
    const isWanted = this.#publication !== undefined;
    const lacksRight = result === "forbidden" && isRightMissing(error);
    if (lacksRight || result === "unreachable") this.#gate.failed(nowMs, askedMs(error));
    else this.#answered();
    // The source shows what it is by now, and that is a look of its own.
    if (result === "conflict" || !isWanted) return;
    // What closes the gate may be about this one alone, as a slow webhook is: others go first.
    const failures = this.#memory.failed(record, result === "refused", nowMs);
    if (lacksRight) return this.#troubles.lacks(RIGHT, "", error);
    const isTold = result === "failed" ? failures >= FAILURES_TOLD : result !== "unreachable";
    if (isTold) this.#troubles.fails(record.uid, error);
  }

  /** Whatever the server says, it is there, and so is the right. */
  #answered(): void {
    this.#gate.passed();
    this.#troubles.works(RIGHT, "");
  }

  #isWell(uid: string): void {
    this.#memory.isWell(uid);
    this.#troubles.isWell(uid);
  }

  #forget(uids: ReadonlySet<string>): void {
    this.#memory.keepOnly(uids);
    for (const uid of this.#memory.failing()) if (!uids.has(uid)) this.#isWell(uid);
  }
}

/** The request that writes the status of a pool as it was seen. */
export function poolStatusRequest(
  { name, uid, resourceVersion }: Pick<PoolRecord, "name" | "uid" | "resourceVersion">,
  status: PoolStatus,
): KubeRequest {
  return {
    method: "PATCH",
    path: `${POOLS_PATH}/${name}/status`,
    query: { fieldManager: STATUS_MANAGER, force: "true" },
    contentType: "application/apply-patch+yaml",
    body: {
      apiVersion: "fairlead.io/v1alpha1",
      kind: "AddressPool",
      metadata: { name, uid, resourceVersion },
      status,
    },
  };
}

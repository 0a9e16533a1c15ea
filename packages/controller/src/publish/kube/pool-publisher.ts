// Publishes the status of each AddressPool of a cluster. Given the records of pools, and a client
// to write by. All statuses are looked at together and now and then, so that a thousand Services
// that are given addresses cost a few writes; what says what stands there already is not written.
// Each write carries uid and resource version: a deleted pool must not come back by it.

import { isDeepStrictEqual } from "node:util";

import type { Clock, Timer } from "@fairlead/runtime";

import type { KubeClient, KubeRequest } from "../../kube/kube-client.ts";
import { childOf, isJson, readVersion, textOf } from "../../kube/object-fields.ts";
import { type PoolRecord, type PoolRecords, POOLS_PATH } from "../../kube/pool-record.ts";
import { STATUS_MANAGER } from "../../kube/service-record.ts";
import { countUsage, type PoolUsage } from "../../pool-usage.ts";
import type { Publication, Publisher } from "../../ports.ts";
import { type PoolStatus, wantedPoolStatus } from "./pool-status.ts";
import { createTroubles, type PublishTrouble, type Right } from "./publish-trouble.ts";
import { createWriteGate } from "./write-gate.ts";
import { askedMs, failureResult, type OnWrite } from "./write-result.ts";

/** Statuses are looked at so often at the most, in ms. */
const LOOK_MS = 5000;
/** After a rest the first look waits so long for what follows at once, in ms. */
const SETTLE_MS = 200;
/** What the server does not accept is offered again after this long, in ms. */
const REFUSED_MS = 300_000;
const RIGHT: Right = { verb: "patch", resource: "addresspools.fairlead.io/status" };

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

/** What was written of a pool, until the source shows it. */
interface Written {
  readonly version: number;
  readonly resourceVersion: string;
  readonly status: unknown;
}

class PoolWriter {
  readonly #options: PoolPublisherOptions;
  readonly #gate: ReturnType<typeof createWriteGate>;
  readonly #troubles: ReturnType<typeof createTroubles>;
  readonly #stop = new AbortController();
  readonly #written = new Map<string, Written>();
  /** By uid, monotonic ms until when a refused pool is left alone. */
  readonly #refused = new Map<string, number>();
  #publication: Publication | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isDue = false;

  constructor(options: PoolPublisherOptions) {
    this.#options = options;
    this.#gate = createWriteGate(options.random);
    this.#troubles = createTroubles(options.onTrouble);
  }

  take(publication: Publication): void {
    this.#publication = publication;
    this.poke();
  }

  /** Nothing is known of usage any more; a look under way ends, and nobody misses a right. */
  pause(): void {
    this.#publication = undefined;
    this.#troubles.works(RIGHT, "");
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
    for (const record of records) {
      const isOver = this.#stop.signal.aborted || this.#publication === undefined;
      if (isOver || !this.#gate.mayEnter(clock.nowMs())) break;
      const newest = this.#overlaid(record);
      const status = this.#wanted(newest, usage);
      if (isDeepStrictEqual(status, newest.status)) continue;
      if ((this.#refused.get(record.uid) ?? 0) > clock.nowMs()) continue;
      await this.#write(newest, status);
    }
    if (this.#gate.dueMs() !== undefined) this.#isDue = true;
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

  /** The record with our own last write, which the source may not have shown yet. */
  #overlaid(record: PoolRecord): PoolRecord {
    const written = this.#written.get(record.uid);
    if (written === undefined) return record;
    if (!(readVersion(record.resourceVersion) < written.version)) {
      this.#written.delete(record.uid);
      return record;
    }
    const { resourceVersion, status } = written;
    return { ...record, resourceVersion, status };
  }

  async #write(record: PoolRecord, status: PoolStatus): Promise<void> {
    const { client, clock, onWrite } = this.#options;
    const { signal } = this.#stop;
    this.#gate.enter();
    try {
      const answer = await client.request(statusRequest(record, status), signal);
      onWrite("pool", "written");
      this.#gate.passed();
      this.#troubles.works(RIGHT, "");
      if (isJson(answer)) this.#remember(record.uid, answer);
    } catch (error) {
      if (signal.aborted) return;
      const result = failureResult(error);
      if (result === undefined || !(error instanceof Error)) throw error;
      onWrite("pool", result);
      if (result === "refused") this.#refused.set(record.uid, clock.nowMs() + REFUSED_MS);
      // The source shows what it is by now, and that is a look of its own.
      if (result === "conflict" || result === "refused") return this.#gate.passed();
      const isWanted = this.#publication !== undefined;
      if (result === "forbidden" && isWanted) this.#troubles.lacks(RIGHT, "", error);
      this.#gate.failed(clock.nowMs(), askedMs(error));
    }
  }

  #remember(uid: string, answer: Readonly<Record<string, unknown>>): void {
    const resourceVersion = textOf(childOf(answer, "metadata"), "resourceVersion") ?? "";
    const version = readVersion(resourceVersion);
    this.#written.set(uid, { version, resourceVersion, status: answer["status"] });
  }

  #forget(uids: ReadonlySet<string>): void {
    for (const known of [this.#written, this.#refused]) {
      for (const uid of known.keys()) if (!uids.has(uid)) known.delete(uid);
    }
  }
}

function statusRequest(record: PoolRecord, status: PoolStatus): KubeRequest {
  const { name, uid, resourceVersion } = record;
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

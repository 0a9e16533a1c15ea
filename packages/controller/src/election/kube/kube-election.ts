// The election among controllers of one cluster, by a Lease object: whoever writes its name there
// leads until a part of the lease time after it sent its last renewal; a standby takes the Lease
// when that has not changed for the whole of it. Both count by their own monotonic clock.
// States: stands by <-> leads. It looks again when: its time to renew or to try has come; the
// watch shows a change; its lead ran out; it is disposed.

import { type Clock, type Timer, describeError } from "@fairlead/runtime";

import type { KubeClient, KubeRequest } from "../../kube/kube-client.ts";
import { isKubeError } from "../../kube/kube-errors.ts";
import type { Election, ElectionEvents, ElectionView } from "../../ports.ts";
import {
  LEASE_NAME,
  type LeaseRecord,
  leaseObject,
  microTime,
  readLeaseRecord,
} from "./lease-record.ts";
import { createLeaseWatch, type LeaseWatch } from "./lease-watch.ts";

/** What an election needs. */
export interface KubeElectionOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The namespace of the Lease. */
  readonly namespace: string;
  /** Unique to the process. */
  readonly identity: string;
  /** How long a lead lasts that is not renewed, in ms. */
  readonly leaseMs: number;
}

/** Of the lease time: a lead counts as over, so that it ends before a successor takes it. */
const SURE_SHARE = 2 / 3;
/** Of the lease time: a lead is renewed, or a failed try made again. */
const RENEW_SHARE = 2 / 15;
/** Of the lease time: one request may take so long. */
const REQUEST_SHARE = 1 / 3;
/** Giving the lead up may take so long, in ms. */
const RELEASE_MS = 1000;

/** Makes it; nothing is asked before `start`. */
export function createKubeElection(options: KubeElectionOptions): Election {
  return new KubeElection(options);
}

class KubeElection implements Election {
  readonly identity: string;
  readonly #options: KubeElectionOptions;
  readonly #path: string;
  readonly #watch: LeaseWatch;
  readonly #stop = new AbortController();
  #events: ElectionEvents | undefined;
  #record: LeaseRecord | undefined;
  /** Until when whoever has the lead may be sure of it, as far as the record was seen to change. */
  #heldUntilMs = 0;
  /** The version that it was seen to change to. */
  #heldVersion: string | undefined;
  /** Set while it leads: nothing may be written from then on. */
  #sureUntilMs: number | undefined;
  #expiry: Timer | undefined;
  #trouble: string | undefined;
  #wake: () => void = () => undefined;
  #running: Promise<void> | undefined;

  constructor(options: KubeElectionOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
    this.#watch = createLeaseWatch({
      client: options.client,
      path: this.#path,
      onRecord: (record) => {
        if (this.#sureUntilMs !== undefined) return;
        this.#take(record);
        this.#wake();
      },
    });
  }

  async start(events: ElectionEvents): Promise<void> {
    this.#events = events;
    const waitMs = await this.#step();
    this.#running = this.#run(waitMs);
  }

  view(): ElectionView {
    const leads = this.#isSure();
    const holder = leads ? this.identity : this.#record?.holder;
    const trouble = this.#trouble;
    return {
      leads,
      ...(holder === undefined || (holder === this.identity && !leads) ? {} : { holder }),
      ...(trouble === undefined ? {} : { trouble }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    this.#expiry?.cancel();
    this.#wake();
    await Promise.all([this.#running, this.#watch[Symbol.asyncDispose]()]);
    if (this.#sureUntilMs !== undefined) await this.#giveUp();
  }

  async #run(firstWaitMs: number): Promise<void> {
    let waitMs = firstWaitMs;
    while (!this.#stop.signal.aborted) {
      await this.#sleep(waitMs);
      if (!this.#stop.signal.aborted) waitMs = await this.#step();
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(ms, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** One look, and a write where one is due. Returns how long to wait for the next, in ms. */
  async #step(): Promise<number> {
    const { leaseMs, random } = this.#options;
    const againMs = leaseMs * RENEW_SHARE;
    // One that hung finds its lead over here, and writes nothing.
    if (this.#sureUntilMs !== undefined && !this.#isSure()) this.#lose();
    try {
      if (this.#sureUntilMs === undefined) await this.#tryToLead();
      else await this.#renew();
      this.#say(undefined);
    } catch (error) {
      this.#say(describeError(error));
      // What was known of it may be why.
      if (this.#sureUntilMs === undefined) this.#record = undefined;
      return againMs * (0.5 + random() / 2);
    }
    if (this.#sureUntilMs !== undefined) return againMs;
    this.#watch.follow(this.#record?.resourceVersion);
    // Where the watch has ended it looks by itself.
    return Math.min(againMs, Math.max(0, this.#heldUntilMs - this.#options.clock.nowMs()));
  }

  async #tryToLead(): Promise<void> {
    if (this.#record === undefined || !this.#watch.isFollowing()) this.#take(await this.#read());
    if (this.#options.clock.nowMs() < this.#heldUntilMs) return;
    const sentMs = this.#options.clock.nowMs();
    try {
      await this.#write(this.identity);
    } catch (error) {
      if (!isKubeError(error, "CONFLICT", "NOT_FOUND")) throw error;
      // Another one was faster, and the watch did not show it.
      this.#watch.follow(undefined);
      this.#take(await this.#read());
      return;
    }
    this.#hold(sentMs);
    this.#events?.onLead();
  }

  async #renew(): Promise<void> {
    const sentMs = this.#options.clock.nowMs();
    try {
      await this.#write(this.identity);
    } catch (error) {
      if (!isKubeError(error, "CONFLICT", "NOT_FOUND")) throw error;
      const record = await this.#read();
      this.#take(record);
      // Somebody edited it; the next write goes by its new version.
      if (record?.holder !== this.identity) this.#lose();
      return;
    }
    // It may have hung so long that the lead was over before the answer was read.
    if (this.#isSure()) this.#hold(sentMs);
    else this.#lose();
  }

  #hold(sentMs: number): void {
    const { clock, leaseMs } = this.#options;
    this.#sureUntilMs = sentMs + leaseMs * SURE_SHARE;
    this.#watch.follow(undefined);
    this.#expiry?.cancel();
    this.#expiry = clock.setTimer(this.#sureUntilMs - clock.nowMs(), () => this.#lose());
  }

  #isSure(): boolean {
    const { clock } = this.#options;
    return this.#sureUntilMs !== undefined && clock.nowMs() < this.#sureUntilMs;
  }

  #lose(): void {
    if (this.#sureUntilMs === undefined) return;
    this.#sureUntilMs = undefined;
    this.#expiry?.cancel();
    this.#events?.onLost();
    this.#wake();
  }

  #take(record: LeaseRecord | undefined): void {
    const { clock, leaseMs } = this.#options;
    const before = this.#record;
    const isFree = record?.holder === undefined || record.holder === this.identity;
    // A Lease that was deleted was not given up: whoever had it may not know yet.
    if (record !== undefined && isFree) this.#heldUntilMs = 0;
    else if (record !== undefined && record.resourceVersion !== this.#heldVersion) {
      this.#heldUntilMs = clock.nowMs() + Math.max(record.durationMs, leaseMs);
      this.#heldVersion = record.resourceVersion;
    }
    this.#record = record;
    if (record?.holder !== before?.holder) this.#events?.onChange();
  }

  #say(trouble: string | undefined): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#events?.onChange();
  }

  async #read(): Promise<LeaseRecord | undefined> {
    const path = `${this.#path}/${LEASE_NAME}`;
    try {
      return readLeaseRecord(await this.#request({ method: "GET", path }));
    } catch (error) {
      if (isKubeError(error, "NOT_FOUND")) return undefined;
      throw error;
    }
  }

  /** Writes the Lease over the version that is known, and takes what became of it. */
  async #write(holder: string): Promise<void> {
    const { namespace, leaseMs, clock } = this.#options;
    const known = this.#record;
    const isMine = known?.holder === this.identity;
    const body = leaseObject({
      namespace,
      resourceVersion: known?.resourceVersion,
      holder,
      durationMs: leaseMs,
      acquireTime: isMine ? known.acquireTime : undefined,
      renewTime: microTime(clock.wallMs()),
      transitions: (known?.transitions ?? 0) + (isMine || known === undefined ? 0 : 1),
    });
    const answer = await this.#request(
      known === undefined
        ? { method: "POST", path: this.#path, body }
        : { method: "PUT", path: `${this.#path}/${LEASE_NAME}`, body },
    );
    this.#take(readLeaseRecord(answer));
  }

  async #request(request: KubeRequest): Promise<unknown> {
    const { client, clock, leaseMs } = this.#options;
    const limit = new AbortController();
    const isStopped = this.#stop.signal.aborted;
    const limitMs = isStopped ? RELEASE_MS : leaseMs * REQUEST_SHARE;
    const onStop = (): void => limit.abort(new Error("stopped"));
    if (!isStopped) this.#stop.signal.addEventListener("abort", onStop, { once: true });
    const timer = clock.setTimer(limitMs, () => {
      limit.abort(new Error(`no answer within ${Math.round(limitMs)} ms`));
    });
    try {
      return await client.request(request, limit.signal);
    } finally {
      timer.cancel();
      this.#stop.signal.removeEventListener("abort", onStop);
    }
  }

  /** A standby that watches takes over at once. It may fail: the lead then runs out by itself. */
  async #giveUp(): Promise<void> {
    this.#sureUntilMs = undefined;
    await this.#write("").catch(() => undefined);
  }
}

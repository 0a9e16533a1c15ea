// The election among controllers of one cluster, by a Lease object: whoever writes its name there
// leads until a part of the lease time after it sent its last renewal; a standby takes the Lease
// when that has not changed for the whole of it. Both count by their own monotonic clock.
// States: stands by <-> leads. It looks again when: its time to renew or to try has come; the
// watch shows a change; its lead ran out; it is disposed.

import type { Clock } from "@fairlead/runtime";

import type { KubeClient, KubeRequest } from "../../kube/kube-client.ts";
import { isKubeError } from "../../kube/kube-errors.ts";
import type { Election, ElectionEvents, ElectionView } from "../../ports.ts";
import { LeadKeeper } from "../lead-keeper.ts";
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
  readonly noticesMs: number;
  readonly #options: KubeElectionOptions;
  readonly #path: string;
  readonly #watch: LeaseWatch;
  readonly #lead: LeadKeeper;
  #record: LeaseRecord | undefined;
  /** Until when whoever has the lead may be sure of it, as far as the record was seen to change. */
  #heldUntilMs = 0;
  /** The version that it was seen to change to. */
  #heldVersion: string | undefined;

  constructor(options: KubeElectionOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.noticesMs = options.leaseMs;
    this.#lead = new LeadKeeper({ ...options, step: () => this.#step() });
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
    this.#watch = createLeaseWatch({
      client: options.client,
      path: this.#path,
      onRecord: (record) => {
        if (this.#lead.isLeading) return;
        this.#take(record);
        this.#lead.wake();
      },
    });
  }

  start(events: ElectionEvents): Promise<void> {
    return this.#lead.start(events);
  }

  view(): ElectionView {
    return this.#lead.view(this.#record?.holder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#lead.end(), this.#watch[Symbol.asyncDispose]()]);
    if (this.#lead.isLeading) await this.#giveUp();
  }

  /** One look, and a write where one is due. Returns how long to wait for the next, in ms. */
  async #step(): Promise<number> {
    const lead = this.#lead;
    // One that hung finds its lead over here, and writes nothing.
    if (!lead.isSure()) lead.lose();
    try {
      if (lead.isLeading) await this.#renew();
      else await this.#tryToLead();
      lead.sayWell();
    } catch (error) {
      lead.sayTrouble(error);
      // What was known of it may be why.
      if (!lead.isLeading) this.#record = undefined;
      return lead.retryMs;
    }
    if (lead.isLeading) return lead.againMs;
    this.#watch.follow(this.#record?.resourceVersion);
    // Where the watch has ended it looks by itself.
    return Math.min(lead.againMs, Math.max(0, this.#heldUntilMs - this.#options.clock.nowMs()));
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
      if (record?.holder !== this.identity) this.#lead.lose();
      return;
    }
    // It may have hung so long that the lead was over before the answer was read.
    if (this.#lead.isSure()) this.#hold(sentMs);
    else this.#lead.lose();
  }

  #hold(sentMs: number): void {
    this.#watch.follow(undefined);
    this.#lead.hold(sentMs);
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
    if (record?.holder !== before?.holder) this.#lead.changed();
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
    const isStopped = this.#lead.signal.aborted;
    const limitMs = isStopped ? RELEASE_MS : leaseMs * REQUEST_SHARE;
    const onStop = (): void => limit.abort(new Error("stopped"));
    if (!isStopped) this.#lead.signal.addEventListener("abort", onStop, { once: true });
    const timer = clock.setTimer(limitMs, () => {
      limit.abort(new Error(`no answer within ${Math.round(limitMs)} ms`));
    });
    try {
      return await client.request(request, limit.signal);
    } finally {
      timer.cancel();
      this.#lead.signal.removeEventListener("abort", onStop);
    }
  }

  /** A standby that watches takes over at once. It may fail: the lead then runs out by itself. */
  async #giveUp(): Promise<void> {
    this.#lead.drop();
    await this.#write("").catch(() => undefined);
  }
}

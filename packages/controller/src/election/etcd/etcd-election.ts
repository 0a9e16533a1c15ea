// The election among controllers over one etcd: a key that ends with a lease of etcd. Whoever makes
// it leads until a part of the lease time after it sent its last renewal, by its own monotonic
// clock; etcd ends the key later. It believes answers alone, and nothing that etcd3 says of leases.
//
// States: stands by <-> leads. It looks again when: its time to renew or to try has come; the watch
// shows a change; its lead ran out; it is disposed.

import { type Clock, isEdgeError } from "@fairlead/runtime";

import type { EtcdClient } from "../../etcd/etcd-client.ts";
import type { EtcdWatch } from "../../etcd/etcd-watch.ts";
import type { Election, ElectionEvents, ElectionView } from "../../ports.ts";
import { LeadKeeper } from "../lead-keeper.ts";
import { formatLeader, type LeaderKey, readLeader } from "./leader-key.ts";

/** What an election needs. */
export interface EtcdElectionOptions {
  readonly client: EtcdClient;
  /** The key is `<base>/leader`. */
  readonly base: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Unique to the process. */
  readonly identity: string;
  /** How long a lead lasts that is not renewed, in ms; etcd counts in whole seconds. */
  readonly leaseMs: number;
}

/** Giving the lead up may take so long, in ms. */
const RELEASE_MS = 1000;

/** Makes it; nothing is asked before `start`. */
export function createEtcdElection(options: EtcdElectionOptions): Election {
  return new EtcdElection(options);
}

class EtcdElection implements Election {
  readonly identity: string;
  readonly noticesMs: number;
  readonly #options: EtcdElectionOptions;
  readonly #key: string;
  readonly #lead: LeadKeeper;
  /** Who leads, as it was read last. */
  #seen: LeaderKey | undefined;
  /** The lease that was taken last; given back at the end, whatever became of it. */
  #lease: string | undefined;
  #watch: EtcdWatch | undefined;

  constructor(options: EtcdElectionOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.noticesMs = options.leaseMs;
    this.#lead = new LeadKeeper({ ...options, step: () => this.#step() });
    this.#key = `${options.base}/leader`;
  }

  start(events: ElectionEvents): Promise<void> {
    return this.#lead.start(events);
  }

  view(): ElectionView {
    return this.#lead.view(this.#seen?.holder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#lead.end();
    this.#unwatch();
    await ended;
    this.#unwatch();
    this.#lead.drop();
    if (this.#lease !== undefined) await this.#giveUp(this.#lease);
  }

  /** One look, and a write where one is due. Returns how long to wait for the next, in ms. */
  async #step(): Promise<number> {
    const lead = this.#lead;
    try {
      if (lead.isLeading) await this.#renew();
      else await this.#tryToLead();
      lead.sayWell();
    } catch (error) {
      if (lead.signal.aborted) return 0;
      lead.sayTrouble(error);
      return lead.retryMs;
    }
    return lead.againMs;
  }

  async #tryToLead(): Promise<void> {
    const { client, clock } = this.#options;
    const { rows, revision } = await this.#ask(client.list(this.#key));
    const text = rows.find(({ key }) => key === this.#key)?.value;
    const seen = text === undefined ? undefined : readLeader(text);
    this.#take(seen);
    const sentMs = clock.nowMs();
    if (text === undefined) {
      if (await this.#make()) this.#hold(sentMs);
    } else if (seen?.holder === this.identity) {
      // By a try that had no answer, or before it hung.
      if (await this.#keep(seen)) this.#hold(sentMs);
    } else await this.#follow(revision);
  }

  async #renew(): Promise<void> {
    const sentMs = this.#options.clock.nowMs();
    const seen = this.#seen;
    const isKept = seen !== undefined && (await this.#keep(seen));
    // It may have hung so long that the lead was over before the answer was read.
    if (isKept && this.#lead.isSure()) this.#hold(sentMs);
    else this.#lead.lose();
  }

  /** Makes the key; whether it is ours. */
  async #make(): Promise<boolean> {
    const { client, leaseMs } = this.#options;
    const lease = await this.#ask(client.grantLease(Math.ceil(leaseMs / 1000)));
    this.#lease = lease;
    const own: LeaderKey = { holder: this.identity, lease };
    const value = formatLeader(own);
    const result = await this.#ask(
      client.transact({
        conditions: [{ kind: "absent", key: this.#key }],
        changes: [{ key: this.#key, value, lease }],
      }),
    );
    const found = result.kind === "done" ? value : result.found.get(this.#key);
    this.#take(found === undefined ? undefined : readLeader(found));
    if (found === value) return true;
    this.#lease = undefined;
    await this.#ask(client.revokeLease(lease));
    return false;
  }

  /** Lets our key live on; whether it is still there and ours. A lease may outlive its key. */
  async #keep(own: LeaderKey): Promise<boolean> {
    const { client } = this.#options;
    this.#lease = own.lease;
    try {
      await this.#ask(client.keepLease(own.lease));
    } catch (error) {
      if (!isEdgeError(error, "LEASE_GONE")) throw error;
      this.#take(undefined);
      return false;
    }
    const value = formatLeader(own);
    const look = { conditions: [{ kind: "holds", key: this.#key, value }], changes: [] } as const;
    const result = await this.#ask(client.transact(look));
    if (result.kind === "done") return true;
    const found = result.found.get(this.#key);
    this.#take(found === undefined ? undefined : readLeader(found));
    return false;
  }

  #hold(sentMs: number): void {
    // The answer took too long: the next step keeps what it has, or finds it gone.
    if (!this.#lead.wouldBeSure(sentMs)) return this.#lead.lose();
    this.#unwatch();
    this.#lead.hold(sentMs);
  }

  /** A hint that the lead was given up; without it this looks again in its own time. */
  async #follow(revision: bigint): Promise<void> {
    if (this.#watch !== undefined) return;
    const watch = await this.#ask(
      this.#options.client.watch({
        prefix: this.#key,
        revision: revision + 1n,
        onChanges: () => this.#lead.wake(),
        onEnd: () => {
          this.#watch = undefined;
          this.#lead.wake();
        },
      }),
    );
    if (this.#lead.signal.aborted) watch[Symbol.dispose]();
    else this.#watch = watch;
  }

  #unwatch(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  #take(seen: LeaderKey | undefined): void {
    const before = this.#seen?.holder;
    this.#seen = seen;
    if (seen?.holder !== before) this.#lead.changed();
  }

  /** Waits for an answer, but not past the end. */
  async #ask<T>(answer: Promise<T>): Promise<T> {
    const { signal } = this.#lead;
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    const onStop = (): void => reject(new Error("stopped"));
    if (signal.aborted) onStop();
    signal.addEventListener("abort", onStop, { once: true });
    try {
      return await Promise.race([answer, stopped]);
    } finally {
      signal.removeEventListener("abort", onStop);
    }
  }

  /** Ends the key with its lease. It may fail: the lead then runs out by itself. */
  async #giveUp(lease: string): Promise<void> {
    const { client, clock } = this.#options;
    const limit = new AbortController();
    const revoked = client.revokeLease(lease).catch(() => undefined);
    await Promise.race([revoked, clock.sleep(RELEASE_MS, limit.signal).catch(() => undefined)]);
    limit.abort();
  }
}

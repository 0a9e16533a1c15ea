// The IPAM service's store in a cluster, for several controllers of which one leads. Given a client
// that writes only while this one does. Whoever opens it replaces its journal, and so ends the
// writes of all before. Why rows are kept as they are stands in docs/adr.

import { assert } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import type { IpamChange, StoredIpam } from "../../ipam/ipam-model.ts";
import type { IpamStore } from "../../ipam/ports.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import { isKubeError } from "../../kube/kube-errors.ts";
import { ipamKeys, placeInIpamCommit, placesOf, toIpamKeyChange } from "../ipam-row-keys.ts";
import type { IpamTable } from "../ipam-table.ts";
import { makeStoreError } from "../store-error.ts";
import { createIpamSession, type IpamSession, takeJournal } from "./ipam-session.ts";
import { ipamClosedError, kubeStoreError } from "./kube-store-errors.ts";
import { type LoadedIpam, loadIpam } from "./load-ipam.ts";

/** Taking an epoch is tried so often against others that do the same. */
const TRIES_MAX = 5;
/**
 * Commits that renew and do nothing else are at least this far apart, in ms: what comes meanwhile
 * is renewed by the next one. Nobody hurries who has an hour.
 */
const RENEWALS_APART_MS = 100;
/**
 * A server that answers at all does so within this, in ms; then a commit that is under way when the
 * store ends is given up. Nobody was told of it, and the next opening finds what came of it.
 */
const END_MS = 1000;
const KEYS = ipamKeys("");

/** What the store works with. */
export interface KubeIpamStoreOptions {
  /** Writes only while this controller leads. */
  readonly client: KubeClient;
  readonly clock: Clock;
}

/** Makes the store; nothing is asked before `open`. */
export function createKubeIpamStore(options: KubeIpamStoreOptions): IpamStore {
  return new KubeIpamStore(options);
}

class KubeIpamStore implements IpamStore {
  readonly #options: KubeIpamStoreOptions;
  #opened: { readonly session: IpamSession; readonly table: IpamTable } | undefined;
  /** What registrations will hold that the commit under way makes or changes. */
  #coming: ReadonlyMap<string, string> = new Map();
  #writing: Promise<void> = Promise.resolve();
  #writtenMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: KubeIpamStoreOptions) {
    this.#options = options;
  }

  async open(): Promise<StoredIpam> {
    assert(this.#opened === undefined, "a store is opened once");
    const { client, clock } = this.#options;
    try {
      const { loaded, journal } = await this.#take();
      const { stored, table } = loaded;
      const heldBy = (uuid: string): string | undefined =>
        this.#coming.get(uuid) ?? table.heldBy(uuid);
      const session = createIpamSession(
        { client, clock, placeOf: (change) => placeInIpamCommit(KEYS, heldBy, change) },
        loaded,
        journal,
      );
      this.#opened = { session, table };
      return stored;
    } catch (error) {
      throw kubeStoreError(error, "cannot read the IPAM of the cluster");
    }
  }

  async commit(changes: readonly IpamChange[]): Promise<void> {
    const opened = this.#opened;
    if (this.#isClosed || opened === undefined) throw ipamClosedError();
    const { session, table } = opened;
    const problem = table.problem(changes);
    if (problem !== undefined) {
      const message = `cannot write the IPAM of the cluster: ${problem}`;
      throw makeStoreError({ code: "CONFLICT", message });
    }
    this.#coming = placesOf(changes);
    const isRenewal = changes.every((change) => isRenewalOf(table, change));
    const writing = this.#write(session, changes, isRenewal);
    this.#writing = writing.catch(() => undefined);
    await writing;
    table.apply(changes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const session = this.#opened?.session;
    const late = this.#options.clock.setTimer(END_MS, () => void session?.[Symbol.asyncDispose]());
    await this.#writing;
    late.cancel();
    await session?.[Symbol.asyncDispose]();
  }

  async #write(
    session: IpamSession,
    changes: readonly IpamChange[],
    isRenewal: boolean,
  ): Promise<void> {
    const { clock } = this.#options;
    const waitMs = this.#writtenMs + RENEWALS_APART_MS - clock.nowMs();
    if (isRenewal && waitMs > 0) await clock.sleep(waitMs);
    this.#writtenMs = clock.nowMs();
    try {
      await session.write(changes.map((change) => toIpamKeyChange(KEYS, change)));
    } catch (error) {
      throw kubeStoreError(error, "cannot write the IPAM of the cluster");
    }
  }

  /** Reads all and takes the next epoch. What cannot be read takes none. */
  async #take(): Promise<{
    readonly loaded: LoadedIpam;
    readonly journal: Awaited<ReturnType<typeof takeJournal>>;
  }> {
    const { client } = this.#options;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      // The journal stands for the moment of its reading: whoever replaces it has missed nothing.
      const loaded = await loadIpam(client, KEYS);
      try {
        return { loaded, journal: await takeJournal(client, loaded) };
      } catch (error) {
        if (!isKubeError(error, "CONFLICT")) throw error;
      }
    }
    const message = "cannot open the IPAM of the cluster: others write it all the time";
    throw makeStoreError({ code: "BUSY", message });
  }
}

/** Whether the change leaves a registration with the address that it has. */
function isRenewalOf(table: IpamTable, change: IpamChange): boolean {
  if (change.kind !== "put-registration") return false;
  const { uuid, class: of, address } = change.registration;
  return table.heldBy(uuid) === `${of}/${address}`;
}

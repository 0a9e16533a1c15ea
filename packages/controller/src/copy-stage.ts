// Real stores that are copied, for tests alone: files and an etcd with a folder and a base of their
// own, what they are filled with, and how a controller would open them.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  addressFromValue,
  type Intent,
  type Lane,
  laneId,
  type LeasedAddress,
  parseAgentName,
  parseClaimId,
  parsePoolName,
  present,
} from "@fairlead/model";
import { createSystemClock } from "@fairlead/runtime";

import { copyNamedStores } from "./copy-named-stores.ts";
import { COPY_SETTINGS, type CopyFlags } from "./copy-settings.ts";
import type { CopyOutcome } from "./copy-store.ts";
import type { IpamStore } from "./ipam/ports.ts";
import { keepLeases, type LeaseKeeping } from "./keep-leases.ts";
import type { Store, StoredState } from "./ports.ts";
import { ipamPathOf } from "./rest-settings.ts";
import { createSqliteIpamStore } from "./store/sqlite/sqlite-ipam-store.ts";
import { storeSettings } from "./store-settings.ts";

const clock = createSystemClock();
const AGENT = present(parseAgentName("lb-1"), "an agent");

/** The one lane that is stored. */
export const LANE: Lane = {
  id: laneId("192.0.2.0/24", 51),
  segment: "192.0.2.0/24",
  routerId: 51,
  order: [AGENT],
  settled: true,
};

/** The one intent that is stored. */
export const INTENT: Intent = { id: "1", sinceMs: 1, kind: "drain", agent: AGENT };

/** The leases that are stored, by address. */
export const LEASES: readonly LeasedAddress[] = Array.from(
  { length: 300 },
  (_, index): LeasedAddress => {
    const claim = present(parseClaimId(`service/default/web-${index}`), "a claim");
    return {
      address: addressFromValue("ipv4", BigInt(0x0a_01_00_00 + index)),
      pool: present(parsePoolName("default"), "a pool"),
      owners: [{ claim, uid: `uid-${index}`, ports: [{ protocol: "tcp", port: 80 }] }],
      lastClaim: claim,
      placement: { kind: "lane", lane: LANE.id },
      sentTo: [AGENT],
      state: { kind: "held" },
      published: true,
      sinceMs: 1,
    };
  },
).toSorted((a, b) => (a.address < b.address ? -1 : 1));

/** What is said of all that, once it is copied. */
export const COUNTS: Readonly<Record<"leases" | "lanes" | "intents", number>> = {
  leases: 300,
  lanes: 1,
  intents: 1,
};

/** A lead that is copied under; no machine is so slow that it ends in between. */
const LEASE_MS = 15_000;

/** Where etcd is, as testkit shares it. */
export interface EtcdAt<E> {
  readonly etcd: E;
  readonly base: string;
  readonly store: string;
}

/** Stores of one test; disposing removes the files. */
export interface CopyStage<E> extends Disposable {
  readonly etcd: E;
  readonly base: string;
  /** `etcd:URL`, with a base path of its own in all flags. */
  readonly inEtcd: string;
  file(name: string): string;
  /** The IPAM's store beside that file. */
  ipamOf(name: string): IpamStore;
  /** The path of a kubeconfig that names this cluster. */
  kubeconfigOf(cluster: { readonly server: string }): string;
  copy(from: string, to: string, more?: Partial<CopyFlags>): Promise<CopyOutcome>;
  keep(store: string): LeaseKeeping;
  said: readonly string[];
}

/** Stores that are empty, in an etcd that is given. */
export function makeCopyStage<E>({ etcd, base, store: inEtcd }: EtcdAt<E>): CopyStage<E> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-copy-"));
  const flags: CopyFlags = { ...defaults(), etcdBase: base, leaderLease: LEASE_MS };
  const said: string[] = [];
  return {
    etcd,
    said,
    base,
    inEtcd,
    file: (name) => `sqlite:${join(folder, name)}`,
    ipamOf: (name) => createSqliteIpamStore({ path: ipamPathOf(join(folder, name)) }),
    kubeconfigOf: ({ server }) => {
      const path = join(folder, "kubeconfig");
      const [cluster, context] = ["lab", "lab"];
      const config = {
        clusters: [{ name: cluster, cluster: { server } }],
        users: [{ name: "me", user: { token: "t" } }],
        contexts: [{ name: context, context: { cluster, user: "me" } }],
        "current-context": context,
      };
      writeFileSync(path, JSON.stringify(config));
      return path;
    },
    copy: (from, to, more = {}) =>
      copyNamedStores({
        flags: { ...flags, from, to, ...more },
        clock,
        random: () => 0.5,
        onWait: (text) => void said.push(text),
      }),
    keep: (store) =>
      keepLeases({
        store: storeSettings({ ...flags, store, stateDir: "", source: "/x", members: undefined }),
        clock,
        random: () => 0.5,
        leaseMs: LEASE_MS,
        onStored: () => undefined,
      }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function defaults(): CopyFlags {
  const entries = Object.entries(COPY_SETTINGS).map(([key, setting]) => [key, setting.default]);
  return Object.fromEntries(entries) as CopyFlags;
}

/** Opens a store as a controller would, works with it, and leaves it. */
export async function worked<T>(
  kept: LeaseKeeping,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const idle = (): void => undefined;
  try {
    await kept.election.start({ onLead: idle, onLost: idle, onChange: idle });
    return await work(kept.store);
  } finally {
    await kept.store[Symbol.asyncDispose]();
    await kept.election[Symbol.asyncDispose]();
    kept.close();
  }
}

/** Opens a store and fills it. */
export async function fill(store: Store): Promise<StoredState> {
  const state = await store.open();
  await store.commit(state.epoch, [
    { kind: "put-lane", lane: LANE },
    ...LEASES.map((lease) => ({ kind: "put-lease", lease }) as const),
    { kind: "put-intent", intent: INTENT },
  ]);
  return state;
}

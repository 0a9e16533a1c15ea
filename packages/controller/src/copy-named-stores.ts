// `fairlead store copy`: opens two stores by what people write after --store, and copies one into
// the other. Given flags that were checked. Whatever it opened is closed and given up at its end.

import { existsSync } from "node:fs";

import { type KubeAccess, loadKubeAccess } from "@fairlead/kubeconfig";
import { present } from "@fairlead/model";
import { type Clock, EdgeError, VERSION } from "@fairlead/runtime";

import type { CopiedIpam } from "./copy-ipam.ts";
import { type CopiedStore, type CopyOutcome, copyStore } from "./copy-store.ts";
import type { IpamStore } from "./ipam/ports.ts";
import { keepLeases, type LeaseKeeping } from "./keep-leases.ts";
import { createKubeClient } from "./kube/kube-client.ts";
import type { CopyFlags } from "./copy-settings.ts";
import { ipamPathOf } from "./rest-settings.ts";
import { createSqliteIpamStore } from "./store/sqlite/sqlite-ipam-store.ts";
import { type StoreSettings, storeSettings } from "./store-settings.ts";

/** How it is done. */
export interface CopyNamedStoresOptions {
  readonly flags: CopyFlags;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onWait: (text: string) => void;
}

/**
 * Copies. Rejects with an EdgeError for files that cannot be used, and NOT_FOUND for a file to copy
 * from that is not there: opening would make it.
 */
export async function copyNamedStores(options: CopyNamedStoresOptions): Promise<CopyOutcome> {
  const { flags, clock, onWait } = options;
  const { from, to, dryRun, leaderLease: leaseMs } = flags;
  if (from === to) {
    return { kind: "refused", code: "NOT_EMPTY", why: `both stores are ${shownName(from)}` };
  }
  const source = settingsOf(flags, from);
  const target = settingsOf(flags, to);
  if (source.kind === "sqlite" && !existsSync(source.path)) {
    const message = `there is no store ${from}`;
    throw new EdgeError({ code: "NOT_FOUND", message, retryable: false });
  }
  await using reading = openNamed(options, from, source);
  const isMissing = target.kind === "sqlite" && !existsSync(target.path);
  if (dryRun && isMissing) {
    return await copyStore({ from: reading.side, to: undefined, dryRun, clock, leaseMs, onWait });
  }
  await using writing = openNamed(options, to, target);
  return await copyStore({ from: reading.side, to: writing.side, dryRun, clock, leaseMs, onWait });
}

function settingsOf(flags: CopyFlags, store: string): StoreSettings {
  // A folder as source: `kubernetes` is what the text says, and never a default.
  const more = { source: undefined, members: undefined, stateDir: "" };
  return storeSettings({ ...flags, ...more, store });
}

interface Named extends AsyncDisposable {
  readonly side: CopiedStore;
}

function openNamed(
  { flags, clock, random }: CopyNamedStoresOptions,
  name: string,
  store: StoreSettings,
): Named {
  const access = store.kind === "kubernetes" ? accessOf(flags) : undefined;
  const kept: LeaseKeeping = keepLeases({
    store,
    clock,
    random,
    leaseMs: flags.leaderLease,
    onStored: () => undefined,
    ...(access === undefined
      ? {}
      : { client: createKubeClient({ access, clock, userAgent: `fairlead/${VERSION}` }) }),
  });
  const { election } = kept;
  return {
    side: { name: shownName(name), election, store: kept.store, ipam: ipamOf(kept, store) },
    [Symbol.asyncDispose]: async () => {
      // The lead is given up last: until then nobody else may write.
      await kept.store[Symbol.asyncDispose]();
      await election[Symbol.asyncDispose]();
      kept.close();
      access?.close();
    },
  };
}

/** Where the rows of the IPAM service are: with leases, or in a file of their own. */
function ipamOf(kept: LeaseKeeping, store: StoreSettings): CopiedIpam {
  if (store.kind === "sqlite") {
    const path = ipamPathOf(store.path);
    return { isThere: existsSync(path), store: () => createSqliteIpamStore({ path }) };
  }
  const made = (): IpamStore =>
    present(kept.ipamStore?.(), "stores that are shared have a place for the IPAM");
  return { isThere: true, store: made };
}

function accessOf({ kubeconfig, context }: CopyFlags): KubeAccess {
  return loadKubeAccess({ kubeconfig, context });
}

/** A user and a password in a URL are nobody's business. */
function shownName(name: string): string {
  return name.replace(/\/\/[^/@\s]*@/gu, "//***@");
}

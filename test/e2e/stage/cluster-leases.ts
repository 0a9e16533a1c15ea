// The leases of a controller as the cluster keeps them, read by one that is no part of it: the
// objects, and over them what the store's journal says, which is durable before they show it.

import { gunzipSync } from "node:zlib";

import type { KubeClient } from "@fairlead/testkit";

import type { StoredLease } from "./held-rows.ts";

const API_VERSION = "fairlead.io/v1alpha1";

type Change =
  | { readonly kind: "put-lease"; readonly lease: StoredLease }
  | { readonly kind: "delete-lease"; readonly address: string }
  | { readonly kind: "put-lane" | "delete-lane" | "put-intent" | "delete-intent" };

/** What is durable. */
export async function readJournaledLeases(kube: KubeClient): Promise<readonly StoredLease[]> {
  const rows = new Map((await readLeaseObjects(kube)).map((row) => [row.address, row]));
  for (const change of await readJournal(kube)) {
    if (change.kind === "put-lease") rows.set(change.lease.address, change.lease);
    if (change.kind === "delete-lease") rows.delete(change.address);
  }
  return [...rows.values()];
}

/** What people find: it may be behind by what a moment takes to write. */
export async function readLeaseObjects(kube: KubeClient): Promise<readonly StoredLease[]> {
  const objects = await kube.list({ apiVersion: API_VERSION, kind: "AddressLease" });
  return objects.map((object) => object["spec"] as StoredLease);
}

async function readJournal(kube: KubeClient): Promise<readonly Change[]> {
  const kind = { apiVersion: API_VERSION, kind: "StoreJournal" };
  const journal = await kube.get({ ...kind, name: "journal" });
  const { changes = "" } = (journal?.["spec"] ?? {}) as { readonly changes?: string };
  if (changes === "") return [];
  return JSON.parse(gunzipSync(Buffer.from(changes, "base64")).toString("utf8")) as Change[];
}

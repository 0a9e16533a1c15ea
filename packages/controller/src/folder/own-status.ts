// The status files beside a folder of manifests: their place, their names and what marks them as
// ours. The publisher writes them, and the source reads back what they published; neither knows the
// other. Pure.

import { createHash } from "node:crypto";

import { type Address, type Claim, parseAddress } from "@fairlead/model";
import { parse } from "yaml";

import { childOf, isJson, listOf, textOf } from "../kube/object-fields.ts";

/** Folder of status files, below the folder of manifests. */
export const STATUS_FOLDER = ".status";
/** First line of every file of ours: files without it are never touched, nor believed. */
export const STATUS_HEADER = "# Written by Fairlead; what you change here is overwritten.";
/** Longest file name without its suffix: below 255 bytes with a temporary suffix. */
const NAME_CHARACTERS_MAX = 200;

/** `NAMESPACE.NAME.yaml`; a name too long for a file is cut and ends in a hash of the whole. */
export function statusFileName(claim: Pick<Claim, "kind" | "namespace" | "name">): string {
  const kind = claim.kind === "service" ? "" : `${claim.kind}.`;
  const whole = `${kind}${claim.namespace}.${claim.name}`;
  if (whole.length <= NAME_CHARACTERS_MAX) return `${whole}.yaml`;
  const hash = createHash("sha256").update(whole).digest("hex").slice(0, 16);
  return `${whole.slice(0, NAME_CHARACTERS_MAX - 17)}-${hash}.yaml`;
}

/** Addresses that stand in such files, by `NAMESPACE/NAME` of the Service; without empty ones. */
export function readPublished(texts: Iterable<string>): ReadonlyMap<string, readonly Address[]> {
  const published = new Map<string, readonly Address[]>();
  for (const text of texts) {
    const status = readOne(text);
    if (status !== undefined && status.addresses.length > 0) {
      published.set(status.key, status.addresses);
    }
  }
  return published;
}

function readOne(
  text: string,
): { readonly key: string; readonly addresses: readonly Address[] } | undefined {
  if (!text.startsWith(`${STATUS_HEADER}\n`)) return undefined;
  // What follows is long, and says nothing of addresses that are published.
  const end = text.indexOf("\n  conditions:");
  let value: unknown;
  try {
    value = parse(end < 0 ? text : text.slice(0, end));
  } catch {
    return undefined;
  }
  if (!isJson(value) || value["kind"] !== "Service") return undefined;
  const metadata = childOf(value, "metadata");
  const entries = listOf(childOf(childOf(value, "status"), "loadBalancer"), "ingress");
  const addresses = entries.filter(isJson).flatMap((entry) => {
    return parseAddress(textOf(entry, "ip") ?? "") ?? [];
  });
  return { key: `${textOf(metadata, "namespace")}/${textOf(metadata, "name")}`, addresses };
}

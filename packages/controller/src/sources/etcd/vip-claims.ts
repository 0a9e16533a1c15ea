// The claims of declared VIPs, remembered: one changed declaration, or one changed Service, costs
// the claims that it concerns. Given the declarations; it decides nothing of what they say.

import type { Claim } from "@fairlead/model";

import { title } from "../quote.ts";
import type { ServiceBackend, ServiceBackends } from "../service-backends.ts";
import { claimsEqual, type TranslateSettings } from "../translate-service.ts";
import { translateVirtualIp } from "../translate-virtual-ip.ts";
import type { VirtualIp } from "../virtual-ip.ts";

/** Translates declarations again and again. */
export interface VipClaims {
  /** The claim of a declaration; the very same object as before where it says the same. */
  claimOf(key: string, vip: VirtualIp): Claim;
  /** Lets go of declarations that are not among these keys. */
  keep(keys: (key: string) => boolean): void;
}

interface Memo {
  readonly vip: VirtualIp;
  readonly backend: ServiceBackend | undefined;
  readonly claim: Claim;
}

/** Makes one that remembers nothing yet. */
export function createVipClaims(options: {
  readonly settings: TranslateSettings;
  readonly backends: ServiceBackends | undefined;
}): VipClaims {
  const { settings, backends } = options;
  const memos = new Map<string, Memo>();
  return {
    claimOf: (key, vip) => {
      const { members, namespace } = vip;
      const service = members.kind === "service" ? members.service : undefined;
      const backend = service === undefined ? undefined : backends?.find(`${namespace}/${service}`);
      const memo = memos.get(key);
      if (memo?.vip === vip && sameBackend(memo.backend, backend)) return memo.claim;
      const origin = title(`etcd ${key}`);
      const made = translateVirtualIp({ vip, backend, origin }, settings);
      const claim = memo !== undefined && claimsEqual(memo.claim, made) ? memo.claim : made;
      memos.set(key, { vip, backend, claim });
      return claim;
    },
    keep: (keys) => {
      for (const key of memos.keys()) if (!keys(key)) memos.delete(key);
    },
  };
}

/** By identity of the parsed objects, which are made anew only when their text changed. */
function sameBackend(a: ServiceBackend | undefined, b: ServiceBackend | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.service === b.service &&
    a.apiServers === b.apiServers &&
    sameItems(a.slices, b.slices) &&
    sameItems(a.nodes, b.nodes)
  );
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => item === b[index]));
}

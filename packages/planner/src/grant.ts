// What admission and allocation decided for one claim: the value that the later stages read.

import {
  type Address,
  type Claim,
  type ClaimId,
  type Remark,
  type VerdictState,
  compareText,
} from "@fairlead/model";

/** The outcome of a claim before placing. */
export interface Grant {
  readonly claim: Claim;
  /** The best that its verdict can be: `ready` when all that it asks for is given. */
  readonly best: VerdictState;
  /** Whether agents get its listeners; never true without an address. */
  readonly programmed: boolean;
  /** What it holds, in the order of the families it wants. */
  readonly addresses: readonly Address[];
  /** Keys of `leftOutKey`: ports that another claim has on a shared address. */
  readonly leftOut: ReadonlySet<string>;
  /** Why it is less than it asks for; absent when it has all. */
  readonly main?: Remark;
  readonly remarks: readonly Remark[];
}

/** The key of one port of one address in `Grant.leftOut`. */
export function leftOutKey(address: Address, port: string): string {
  return `${address} ${port}`;
}

/** A port as people write it and as a key inside an address: tcp/80. */
export function portText(port: { readonly protocol: string; readonly port: number }): string {
  return `${port.protocol}/${port.port}`;
}

/** By address, the grants that agents shall serve there, sorted by claim. */
export function grantsByAddress(
  grants: ReadonlyMap<ClaimId, Grant>,
): ReadonlyMap<Address, readonly Grant[]> {
  const byAddress = new Map<Address, Grant[]>();
  for (const grant of grants.values()) {
    for (const address of grant.programmed ? grant.addresses : []) {
      const known = byAddress.get(address);
      if (known === undefined) byAddress.set(address, [grant]);
      else known.push(grant);
    }
  }
  for (const list of byAddress.values()) {
    if (list.length > 1) list.sort((a, b) => compareText(a.claim.id, b.claim.id));
  }
  return byAddress;
}

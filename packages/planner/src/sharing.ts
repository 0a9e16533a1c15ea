// Several claims on one address: who may join, and who has which port. Whoever has a port in the
// stored row keeps it, whatever the others ask for later; so the first keeps working, always.

import {
  type Claim,
  holdersText,
  holderText,
  type LeasedAddress,
  type LeaseOwner,
  portText,
  type Remark,
} from "@fairlead/model";

import { OWN_KEY } from "./own-address.ts";
import type { PoolView } from "./pools.ts";

/** The key by which the claim shares addresses of the pool; undefined: it does not. */
export function keyIn(view: PoolView | undefined, claim: Claim): string | undefined {
  return view?.isOwn === true ? OWN_KEY : claim.sharingKey;
}

/** The ports of a claim as its lease records them. */
export function portsOf(claim: Claim): LeaseOwner["ports"] {
  return claim.listeners.map(({ protocol, port }) => ({ protocol, port }));
}

/** Why the claim may not join the row; undefined when it may, with all its ports. */
export function whyNotShared(
  claim: Claim,
  row: LeasedAddress,
  view: PoolView | undefined,
): Remark | undefined {
  const others = row.owners.filter((owner) => owner.claim !== claim.id);
  const [first] = others;
  if (first === undefined) return undefined;
  const holder = holdersText(row, others);
  const key = keyIn(view, claim);
  if (key === undefined) {
    return { reason: "AddressTaken", detail: `${row.address} is held by ${holder}` };
  }
  if (view?.pool.sharing !== "ports") {
    const pool = view?.pool.name ?? row.pool;
    const detail = `${row.address} is held by ${holder}, and pool ${pool} allows no sharing`;
    return { reason: "SharingRefused", detail };
  }
  if (row.sharingKey !== key) {
    const detail = `${row.address} is held by ${holder}, under another sharing key or none`;
    return { reason: "SharingRefused", detail };
  }
  const [clash] = clashesOf(claim, row);
  return clash === undefined ? undefined : clashRemark(row, clash);
}

/** A port that another owner of the row has. */
export interface Clash {
  readonly port: string;
  readonly holder: LeaseOwner;
}

/** The claim's ports that other owners of the row have. */
export function clashesOf(claim: Claim, row: LeasedAddress): readonly Clash[] {
  const taken = new Map<string, LeaseOwner>();
  for (const owner of row.owners) {
    if (owner.claim === claim.id) continue;
    for (const port of owner.ports) taken.set(portText(port), owner);
  }
  return claim.listeners.flatMap((listener) => {
    const port = portText(listener);
    const holder = taken.get(port);
    return holder === undefined ? [] : [{ port, holder }];
  });
}

/** What is said of a clash. */
export function clashRemark(row: LeasedAddress, { port, holder }: Clash): Remark {
  const detail = `${row.address} port ${port} is held by ${holderText(row, holder)}`;
  return { reason: "SharingRefused", detail };
}

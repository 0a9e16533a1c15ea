// A folder for one store's file, and a lease to put into it. For tests alone; nothing is left
// behind.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type LeasedAddress,
  parseAddress,
  parseClaimId,
  parsePoolName,
  present,
} from "@fairlead/model";

/** A lease that nobody owns. */
export const LEASE: LeasedAddress = {
  address: present(parseAddress("10.0.0.1"), "an address"),
  pool: present(parsePoolName("default"), "a pool"),
  owners: [],
  lastClaim: present(parseClaimId("service/default/web"), "a claim"),
  placement: { kind: "unplaced" },
  sentTo: [],
  state: { kind: "held" },
  published: false,
  sinceMs: 1,
};

/** A folder that goes with its disposal, and the path of the file to be. */
export function makeFolder(): Disposable & { readonly folder: string; readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  return {
    folder,
    path: join(folder, "store.db"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

// What the IPAM service needs of the outside world: somewhere to keep what it gave. Adapters stand
// in `store/`, in folders named after their technology.

import type { IpamChange, StoredIpam } from "./ipam-model.ts";

/** Where classes, netblocks, registrations and their addresses live, for one process at a time. */
export interface IpamStore extends AsyncDisposable {
  /** Reads everything. Called once, before anything else. Rejects with an EdgeError. */
  open(): Promise<StoredIpam>;
  /**
   * Makes all changes durable, or none. When it resolves they survive a power cut. Rejects with an
   * EdgeError when the store cannot be written. Nothing was changed then, or nobody answered
   * whether it was; the next commit puts that back, be it without changes. With FENCED none will
   * ever be made, as another process has the store now. One call at a time.
   */
  commit(changes: readonly IpamChange[]): Promise<void>;
}

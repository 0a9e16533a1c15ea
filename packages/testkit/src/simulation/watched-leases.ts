// The leases of a store whose writes somebody watches. Given whom to tell; it judges nothing.

import type { Address, LeasedAddress } from "@fairlead/model";

/** Told of a row as it was and as it is about to be; undefined: there is none. */
type OnWrite = (
  address: Address,
  before: LeasedAddress | undefined,
  after: LeasedAddress | undefined,
) => void;

/** A map that tells of each write before it is done. */
export class WatchedLeases extends Map<Address, LeasedAddress> {
  readonly #onWrite: OnWrite;

  constructor(onWrite: OnWrite) {
    super();
    this.#onWrite = onWrite;
  }

  override set(address: Address, row: LeasedAddress): this {
    this.#onWrite(address, this.get(address), row);
    return super.set(address, row);
  }

  override delete(address: Address): boolean {
    this.#onWrite(address, this.get(address), undefined);
    return super.delete(address);
  }
}

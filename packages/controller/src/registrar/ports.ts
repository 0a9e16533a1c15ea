// What the registrar needs of an IPAM elsewhere: three calls, each of them safe to make again.

import type { Address, Family, PoolName } from "@fairlead/model";

/** Which IPAM, and for whom: each pool may have a token of its own there. */
export interface IpamAccount {
  /** Where `/ipam/v1` begins. */
  readonly url: string;
  /** The pool that has what is given. */
  readonly pool: PoolName;
}

/** Which class of an IPAM. */
export interface IpamPlace extends IpamAccount {
  readonly class: string;
}

/** Who asks, and for what. */
export interface IpamWish {
  readonly uuid: string;
  readonly family: Family;
  /** The very address; absent: any. */
  readonly address?: Address;
  /** For people: printable, at most 200 characters. */
  readonly owner: string;
}

/** `refused`: its code and words, escaped and short. */
export type IpamAnswer =
  | { readonly kind: "granted"; readonly address: Address }
  | { readonly kind: "refused"; readonly detail: string };

/** An IPAM elsewhere. Calls reject with an EdgeError<IpamErrorCode> when it cannot be asked. */
export interface IpamClient {
  /** The same uuid is given the same address, however often it asks. */
  register(place: IpamPlace, wish: IpamWish): Promise<IpamAnswer>;
  /** Answers with those that it knows nothing of. */
  renew(account: IpamAccount, uuids: readonly string[]): Promise<readonly string[]>;
  /** Resolves also when there is nothing to release. */
  release(account: IpamAccount, uuid: string): Promise<void>;
}

/** Why an IPAM cannot be asked. */
export type IpamErrorCode =
  /** No connection: refused, reset, name not found, no route. */
  | "UNREACHABLE"
  /** No whole answer came in time. */
  | "TIMEOUT"
  /** The server's certificate is not one that this host trusts. */
  | "UNTRUSTED"
  /** 401, 403. */
  | "FORBIDDEN"
  /** Its CA or our token for it is in a file that cannot be used. */
  | "UNREADABLE"
  /** 429, 5xx: it cannot do it now. */
  | "SERVER"
  /** The answer is too large, no JSON, or not what an IPAM says. */
  | "BAD_ANSWER";

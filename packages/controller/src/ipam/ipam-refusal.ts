// Why the IPAM service does not do what it is asked for: a closed list, each with what it is and
// what to do about it. Why it applies is said with the value and, where there is one, the holder.

import type { Address } from "@fairlead/model";

import type { Uuid } from "./ipam-model.ts";

/** The reasons; each has a row in docs/reference/ipam.md. */
export type IpamReason =
  | "UnknownClass"
  | "UnknownNetblock"
  | "UnknownRegistration"
  | "NameTaken"
  | "UuidTaken"
  | "ClassInUse"
  | "NetblockOverlap"
  | "NetblockInUse"
  | "BadNetblock"
  | "NoNetblock"
  | "FamilyUnavailable"
  | "AddressTaken"
  | "AddressOutsideClass"
  | "AddressUnusable"
  | "ClassExhausted"
  | "RegistrationDiffers"
  | "LimitReached";

/** Whose what is asked for is already. */
export interface Holder {
  readonly uuid: Uuid;
  readonly address?: Address;
  readonly owner?: string;
}

/** An expected refusal. */
export interface Refusal {
  readonly kind: "refused";
  readonly reason: IpamReason;
  /** One sentence with the value; user text in quotes. */
  readonly why: string;
  readonly holder?: Holder;
}

/** What a reason is, whatever it is about. */
export interface ReasonText {
  /** What happened, for a headline. */
  readonly what: string;
  /** What to do. */
  readonly todo: string;
}

/** The texts of all reasons. */
export const IPAM_REASONS: Readonly<Record<IpamReason, ReasonText>> = {
  UnknownClass: {
    what: "there is no such class",
    todo: "list the classes, or create this one",
  },
  UnknownNetblock: {
    what: "there is no such netblock",
    todo: "list the netblocks; one that was deleted stays gone",
  },
  UnknownRegistration: {
    what: "there is no such registration",
    todo: "register again with the same uuid; after a release there is nothing left to do",
  },
  NameTaken: {
    what: "another class has this name",
    todo: "choose another name, or use the class that has it",
  },
  UuidTaken: {
    what: "the uuid stands for something else",
    todo: "send another uuid, or none to have one made",
  },
  ClassInUse: {
    what: "the class is in use",
    todo: "release its registrations and delete its netblocks first",
  },
  NetblockOverlap: {
    what: "the netblock overlaps with another one of its class",
    todo: "leave out the shared addresses, or use another class",
  },
  NetblockInUse: {
    what: "addresses of the netblock are held",
    todo: "release them first, or keep them inside the netblock",
  },
  BadNetblock: {
    what: "the range cannot be a netblock",
    todo: "write a CIDR, first-last or one address, unicast addresses alone",
  },
  NoNetblock: {
    what: "the class has no addresses",
    todo: "create a netblock in the class",
  },
  FamilyUnavailable: {
    what: "the class has no addresses of the family",
    todo: "create a netblock of that family in the class, or ask for the other one",
  },
  AddressTaken: {
    what: "the address is held by somebody else",
    todo: "wish for another address or for none, or have the holder release it",
  },
  AddressOutsideClass: {
    what: "the address is in no netblock of the class",
    todo: "wish for an address of the class, or create a netblock that has it",
  },
  AddressUnusable: {
    what: "the address cannot be given",
    todo: "wish for another address or for none",
  },
  ClassExhausted: {
    what: "the class has no free address",
    todo: "create a netblock in the class, or release what is not used; then try again",
  },
  RegistrationDiffers: {
    what: "the uuid is registered already, with another address",
    todo: "release it first, or register without the wish",
  },
  LimitReached: {
    what: "the service holds as many as it can",
    todo: "delete what is not used",
  },
};

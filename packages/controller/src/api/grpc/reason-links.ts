// Which link of a claim's chain each reason belongs to. The table is total: a new reason does not
// compile without its place.

import type { Reason, Remark } from "@fairlead/model";

/** Links of a claim's chain that reasons belong to. */
export type ReasonLink =
  | "Seen"
  | "Admitted"
  | "Address"
  | "Placed"
  | "Members"
  | "Held"
  | "Outside"
  | "agent";

/** `agent`: trouble of an agent, which keeps an address from being held or from answering. */
const LINKS: Readonly<Record<Reason, ReasonLink>> = {
  NoPorts: "Admitted",
  UnknownClass: "Admitted",
  BadAddress: "Admitted",
  BadName: "Admitted",
  BadField: "Admitted",
  ConflictingWishes: "Admitted",
  UnsupportedProtocol: "Admitted",
  DuplicatePort: "Admitted",
  DuplicateObject: "Seen",
  TooManyPorts: "Admitted",
  NoPool: "Address",
  UnknownPool: "Address",
  PoolExhausted: "Address",
  AddressOutsidePools: "Address",
  AddressTaken: "Address",
  SharingRefused: "Address",
  FamilyUnavailable: "Address",
  SourceRangesNotEnforced: "Admitted",
  DatapathUnavailable: "Admitted",
  ModeUnavailable: "Address",
  OtherControllerActive: "Admitted",
  WaitsForIpam: "Address",
  IpamUnreachable: "Address",
  IpamRefused: "Address",
  RegistrationLost: "Address",
  ManifestUnreadable: "Seen",
  ManifestTooLarge: "Seen",
  ManifestTooComplex: "Seen",
  BadPoolRange: "Address",
  PoolOverlap: "Address",
  HeldOutside: "Address",
  SourceEmptied: "Seen",
  SourceUnreadable: "Seen",
  KindUnknown: "Seen",
  PublishFailed: "Seen",
  ExternalIPsRefused: "Seen",
  NoAgents: "Placed",
  NoSegment: "Placed",
  LanesExhausted: "Placed",
  WaitingForAgent: "agent",
  PortTaken: "agent",
  ConfigRejected: "agent",
  AgentUnreachable: "agent",
  AgentWithdrawn: "agent",
  NotHeld: "Held",
  HeldTwice: "Held",
  HolderUnseen: "Outside",
  HolderWrong: "Outside",
  PeersUnheard: "Placed",
  AddressForeign: "Held",
  AddressInUse: "Held",
  AddressUnasked: "agent",
  RouterIdHeard: "agent",
  AgentNameTaken: "agent",
  DataPlaneDown: "agent",
  InputUnguarded: "agent",
  ListenerFull: "agent",
  StoreUnavailable: "Address",
  Releasing: "Address",
  DiskUnwritable: "agent",
  NoMembers: "Members",
  BadMember: "Members",
  UnknownTargetPort: "Members",
  NoNodePort: "Members",
  PolicyNotServed: "Admitted",
};

/** Remarks that belong to one of these links, in their order. */
export function remarksAt(
  remarks: readonly (Remark | undefined)[],
  ...links: readonly ReasonLink[]
): readonly Remark[] {
  return remarks.filter(
    (remark): remark is Remark => remark !== undefined && links.includes(LINKS[remark.reason]),
  );
}

/** The first remark that belongs to one of these links. */
export function remarkAt(
  remarks: readonly (Remark | undefined)[],
  ...links: readonly ReasonLink[]
): Remark | undefined {
  return remarksAt(remarks, ...links)[0];
}

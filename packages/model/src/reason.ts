// The closed list of reasons: why something is pending, refused, left out or in doubt, and the
// shape of what is said with one. Their codes and texts stand in reason-table.ts.

/** The name of a reason, as it stands in conditions, reports and tables. The list is closed. */
export type Reason =
  | "NoPorts"
  | "UnknownClass"
  | "BadAddress"
  | "BadName"
  | "BadField"
  | "ConflictingWishes"
  | "UnsupportedProtocol"
  | "DuplicatePort"
  | "DuplicateObject"
  | "TooManyPorts"
  | "NoPool"
  | "UnknownPool"
  | "PoolExhausted"
  | "AddressOutsidePools"
  | "AddressTaken"
  | "SharingRefused"
  | "FamilyUnavailable"
  | "SourceRangesNotEnforced"
  | "DatapathUnavailable"
  | "ModeUnavailable"
  | "OtherControllerActive"
  | "WaitsForIpam"
  | "IpamUnreachable"
  | "IpamRefused"
  | "RegistrationLost"
  | "ManifestUnreadable"
  | "ManifestTooLarge"
  | "ManifestTooComplex"
  | "BadPoolRange"
  | "PoolOverlap"
  | "HeldOutside"
  | "SourceEmptied"
  | "SourceUnreadable"
  | "KindUnknown"
  | "PublishFailed"
  | "ExternalIPsRefused"
  | "NoAgents"
  | "NoSegment"
  | "LanesExhausted"
  | "WaitingForAgent"
  | "PortTaken"
  | "ConfigRejected"
  | "AgentUnreachable"
  | "AgentWithdrawn"
  | "NotHeld"
  | "HeldTwice"
  | "HolderUnseen"
  | "HolderWrong"
  | "PeersUnheard"
  | "AddressForeign"
  | "AddressInUse"
  | "AddressUnasked"
  | "RouterIdHeard"
  | "AgentNameTaken"
  | "DataPlaneDown"
  | "InputUnguarded"
  | "ListenerFull"
  | "StoreUnavailable"
  | "Releasing"
  | "DiskUnwritable"
  | "NoMembers"
  | "BadMember"
  | "UnknownTargetPort"
  | "NoNodePort"
  | "PolicyNotServed";

/** A reason with why it applies here: the value and, where there is one, the holder. */
export interface Remark {
  readonly reason: Reason;
  /** One sentence, without control characters; user text in quotes, escaped by the edge. */
  readonly detail: string;
}

/** What a remark is about when it is not about a claim. */
export type FindingSubject = "file" | "object" | "pool" | "agent" | "source" | "store" | "address";

/** A remark about something that is not a claim. Findings are listed below the claims. */
export interface Finding extends Remark {
  readonly subject: FindingSubject;
  /** The file's path, the pool's name, the agent's name: escaped, at most 300 characters. */
  readonly name: string;
  /** Paths of the files that it is found in, escaped as names are. Absent: in none. */
  readonly files?: readonly string[];
}

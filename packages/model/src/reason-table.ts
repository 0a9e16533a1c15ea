// Codes, sentences and remedies of all reasons: the same text in CLI, status, log and API. The
// reference page of reasons is made from this table.

import { DATA_PLANE_REASONS } from "./data-plane-reasons.ts";
import { IPAM_REASONS } from "./ipam-reasons.ts";
import { MEMBER_REASONS } from "./member-reasons.ts";
import type { Reason } from "./reason.ts";
import { SEGMENT_REASONS } from "./segment-reasons.ts";

/** One line of the table of reasons. */
export interface ReasonEntry {
  /** FL and four digits; never used again for something else. */
  readonly code: string;
  /** What it means, a sentence. */
  readonly title: string;
  /** What the operator can do, a sentence. */
  readonly remedy: string;
}

const entry = (code: string, title: string, remedy: string): ReasonEntry => ({
  code,
  title,
  remedy,
});

/** All reasons by name. Documentation and tests are made from this table. */
export const REASONS: Readonly<Record<Reason, ReasonEntry>> = {
  // What asks is wrong.
  NoPorts: entry("FL0101", "The Service has no ports.", "Give spec.ports at least one entry."),
  UnknownClass: entry(
    "FL0102",
    "The load-balancer class is not one that this install serves.",
    "Use fairlead.io/agents, or leave the class away; in a cluster, make the Service anew for that.",
  ),
  BadAddress: entry(
    "FL0103",
    "The address asked for is not an IP address that can be served.",
    "Ask for a plain unicast IPv4 or IPv6 address, or for none.",
  ),
  BadName: entry(
    "FL0104",
    "A name has characters that Kubernetes does not allow.",
    "Use lower-case letters, digits and dashes, as RFC 1123 says.",
  ),
  BadField: entry(
    "FL0105",
    "A field has a value that is not allowed there.",
    "Correct the field named in the detail.",
  ),
  ConflictingWishes: entry(
    "FL0106",
    "Two fields or annotations ask for different things.",
    "Keep one of them.",
  ),
  UnsupportedProtocol: entry(
    "FL0107",
    "The port's protocol is neither TCP nor UDP.",
    "Use TCP or UDP.",
  ),
  DuplicatePort: entry(
    "FL0108",
    "Two ports of the Service have one number and protocol.",
    "Give each port of a protocol its own number.",
  ),
  DuplicateObject: entry(
    "FL0109",
    "Another document declares an object of this kind and name.",
    "Delete or rename one of the two; the first one stays in force.",
  ),
  TooManyPorts: entry(
    "FL0110",
    "The Service has more ports than a claim may have.",
    "Split it into several Services, with one sharing key if they need one address.",
  ),
  // What is asked for cannot be given.
  NoPool: entry(
    "FL0201",
    "No pool may serve this Service.",
    "Add a pool (--pool NAME=RANGE), or correct the selectors of the pools there are.",
  ),
  UnknownPool: entry(
    "FL0202",
    "The pool asked for does not exist.",
    "Name a pool that `fairlead pool list` shows, or make one.",
  ),
  PoolExhausted: entry(
    "FL0203",
    "Every address of the pools that may serve this Service is taken.",
    "Add addresses to a pool, or delete what is not needed; who waits longest is served first.",
  ),
  AddressOutsidePools: entry(
    "FL0204",
    "The address asked for lies in no pool that may serve this Service.",
    "Ask for an address of a pool, or add it to one.",
  ),
  AddressTaken: entry(
    "FL0205",
    "The address asked for is held by another Service.",
    "Ask for another one, or give both Services the same fairlead.io/sharing-key.",
  ),
  SharingRefused: entry(
    "FL0206",
    "The address may not be shared: ports clash, keys differ, or the pool forbids it.",
    "Change the port, use one sharing key, or ask for another address.",
  ),
  FamilyUnavailable: entry(
    "FL0207",
    "No pool has an address of a family that the Service requires.",
    "Add a range of that family to the pool, or use ipFamilyPolicy: PreferDualStack.",
  ),
  SourceRangesNotEnforced: entry(
    "FL0208",
    "loadBalancerSourceRanges is not enforced yet, so the Service is not opened at all.",
    "Remove loadBalancerSourceRanges, and limit clients elsewhere until it is enforced.",
  ),
  DatapathUnavailable: entry(
    "FL0209",
    "The data path asked for is not built yet.",
    "Use fairlead.io/datapath: nginx, or leave the annotation away.",
  ),
  ModeUnavailable: entry(
    "FL0210",
    "No agent is new enough for the pool's mode.",
    "Upgrade the agents, or use mode: vrrp.",
  ),
  OtherControllerActive: entry(
    "FL0211",
    "Another controller wrote this Service's load-balancer status.",
    "Keep that one off this Service, or make the Service anew with the spec.loadBalancerClass of " +
      "who shall serve it; where it is refused and that one is gone, empty the status that was " +
      "left: kubectl patch service NAME --subresource=status --type=merge " +
      `-p '{"status":{"loadBalancer":{"ingress":null}}}'.`,
  ),
  ...IPAM_REASONS,
  // Files and pools.
  ManifestUnreadable: entry(
    "FL0301",
    "A manifest cannot be read or does not parse; its last good objects stay in force.",
    "Correct the file at the line that the detail names, or see that it is there and may be read.",
  ),
  ManifestTooLarge: entry(
    "FL0302",
    "A manifest is larger than is read; its last good objects stay in force.",
    "Split it into files below the limit.",
  ),
  ManifestTooComplex: entry(
    "FL0303",
    "A manifest has more aliases, depth or documents than is read.",
    "Write it without YAML anchors, in several files.",
  ),
  BadPoolRange: entry(
    "FL0304",
    "A pool has a range that is none; the pool is not used.",
    "Write CIDRs, first-last, or single addresses.",
  ),
  PoolOverlap: entry(
    "FL0305",
    "The pool shares addresses with an older one and is not used.",
    "Give every address to one pool only.",
  ),
  HeldOutside: entry(
    "FL0310",
    "Addresses are held that their pool would not give any more to those who hold them.",
    "Let the pool give them again, let holders move by onShrink: reassign, or leave it so.",
  ),
  SourceEmptied: entry(
    "FL0306",
    "A source lost all its objects at once, so nothing is removed yet.",
    "Check the folder's mount or the API server; if all is really gone, wait for the second look.",
  ),
  SourceUnreadable: entry(
    "FL0307",
    "A source cannot be read; what it last said stays in force.",
    "Read its words: give the right that is missing, or bring the folder or the API server back.",
  ),
  KindUnknown: entry(
    "FL0311",
    "The cluster does not know a kind of ours, so there are no objects of it.",
    "Install the kind as the detail says, or leave it so.",
  ),
  PublishFailed: entry(
    "FL0308",
    "What is known of Services cannot be written where people look; addresses serve all the same.",
    "Give the right that the detail names, or correct what refuses the write.",
  ),
  ExternalIPsRefused: entry(
    "FL0309",
    "Addresses cannot stand in spec.externalIPs; they stand in the status and serve all the same.",
    "Run agents on hosts that are no nodes of the cluster, or do not ask for external IPs.",
  ),
  // Where and how.
  NoAgents: entry(
    "FL0401",
    "No agent that may hold the address has connected.",
    "Start fairlead-agent on a load-balancer host that has a link in the address's network.",
  ),
  NoSegment: entry(
    "FL0402",
    "No link of any agent lies in the address's network.",
    "Correct the pool's range, or connect an agent to that network.",
  ),
  LanesExhausted: entry(
    "FL0403",
    "All router ids or lanes of the segment are in use.",
    "Free router ids on the segment, or use another segment.",
  ),
  WaitingForAgent: entry(
    "FL0404",
    "The holder has not proved yet that it serves this.",
    "Wait a moment; if it stays, look at `fairlead agents` and at the agent's log.",
  ),
  PortTaken: entry(
    "FL0405",
    "Another process on the holder listens on this port.",
    "Stop that process, or make it listen on its own address instead of the wildcard.",
  ),
  ConfigRejected: entry(
    "FL0406",
    "A daemon on the agent refused this part of its configuration.",
    "Read the daemon's words in the detail; it is offered again when it changes, and by itself within minutes.",
  ),
  AgentUnreachable: entry(
    "FL0407",
    "The agent's last report is old, so what it said may no longer hold.",
    "Check the agent's host and its connection; one that is off for good is ended by fairlead agents forget.",
  ),
  AgentWithdrawn: entry(
    "FL0427",
    "The agent was ended by its operator, with all that it held and served.",
    "Start it again, or, where its host goes for good, end its part by fairlead agents forget.",
  ),
  NotHeld: entry(
    "FL0408",
    "No connected agent holds the address.",
    "Look at `fairlead agents` and at keepalived's log on the hosts of the lane.",
  ),
  HeldTwice: entry(
    "FL0409",
    "Two agents report holding the address.",
    "Check that VRRP (IP protocol 112) passes between the hosts of the lane.",
  ),
  ...SEGMENT_REASONS,
  AddressForeign: entry(
    "FL0410",
    "The address was on the host before us; it is used and never removed.",
    "Remove it from the host's own configuration to let Fairlead manage it.",
  ),
  AddressInUse: entry(
    "FL0415",
    "A host has the address as its own, so no agent holds it.",
    "Take it from the host that the detail names, or wish for another one; pools leave hosts' own out.",
  ),
  AddressUnasked: entry(
    "FL0416",
    "An agent could not ask its segment who has an address, and held it without an answer.",
    "Give the agent NET_ADMIN, and look at its log; or set --ask-before-use to false.",
  ),
  RouterIdHeard: entry(
    "FL0417",
    "A host that is none of ours speaks VRRP with the router id of a lane.",
    "Give that host another virtual router id; new lanes keep clear of it by themselves.",
  ),
  AgentNameTaken: entry(
    "FL0418",
    "Two hosts run agents of one name; the one that came first is served.",
    "Give each agent a --name of its own; a host that was cloned has the name of the other.",
  ),
  ...DATA_PLANE_REASONS,
  StoreUnavailable: entry(
    "FL0412",
    "The store cannot be written, so nothing new is given out.",
    "Read its words: mend the disk of the state directory, the rights, or the etcd or API server.",
  ),
  Releasing: entry(
    "FL0413",
    "The address waits until every agent that was ever sent it reports not holding it.",
    "Start the named agents, or declare them gone once they are powered off.",
  ),
  DiskUnwritable: entry(
    "FL0414",
    "The agent cannot write a file; what it serves stays as it is.",
    "Free space, or make the state and run directories writable.",
  ),
  ...MEMBER_REASONS,
  // Wished for and not served yet.
  PolicyNotServed: entry(
    "FL0601",
    "A wish of the Service is not served; the detail says so where traffic is lost by it.",
    "See the detail; remove the wish to silence this.",
  ),
};

/** Whether the text is the name of a reason. */
export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text);
}

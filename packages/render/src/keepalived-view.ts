// Every decision about keepalived.conf: which lanes, priorities, peers, addresses. Flat, sorted
// and checked, so that the template only loops. It is given resources and paths, never text.

import {
  type Address,
  type AgentName,
  type LaneResource,
  type ResourceName,
  type VipResource,
  assert,
  compareAddress,
  compareText,
  familyBits,
  familyOf,
  present,
} from "@fairlead/model";
import {
  DATA_PATH,
  DATA_PATH_UDP,
  dataPathTrackFile,
  dataPathUdpTrackFile,
  laneAnchor,
  laneInstanceName,
  laneTrackFile,
} from "./lane-names.ts";

/** What keepalived.conf is made of. */
export interface KeepalivedInput {
  /** The agent whose file it is: it must be in the order of every lane. */
  readonly agent: AgentName;
  readonly lanes: readonly LaneResource[];
  /** VIPs of these lanes. VIPs that are carried by a link are not keepalived's and left out. */
  readonly vips: readonly VipResource[];
  /** Of the lanes, those whose VIPs have listeners over UDP. Default: none. */
  readonly udpLanes?: ReadonlySet<ResourceName>;
  readonly paths: {
    /** Folder of the track files, one a lane; it must exist. Absolute, closed grammar. */
    readonly trackDir: string;
  };
  /**
   * Whether keepalived checks a file by itself before it takes it; default true. Must be false
   * where /proc/self/setgroups says `deny`, as in a normal user's namespace: its checker cannot
   * start there, and every reload reads the old file again and reports success.
   */
  readonly checksOnReload?: boolean;
}

/** One VRRP instance as the template writes it. */
export interface InstanceView {
  readonly name: string;
  readonly trackFile: string;
  /** Names of the track files that take it off this host: those of the data path, and its own. */
  readonly tracked: readonly string[];
  readonly link: string;
  readonly routerId: number;
  /** What it is at its first start; a reload keeps what it has become. */
  readonly state: "MASTER" | "BACKUP";
  readonly priority: number;
  /** `nopreempt` or nothing. */
  readonly flags: readonly string[];
  /** Seconds with two decimals: VRRPv3 counts in hundredths (RFC 5798 section 5.2.7). */
  readonly advertIntervalSeconds: string;
  readonly source: Address;
  /** Never empty: without a peer keepalived would fall back to multicast. */
  readonly peers: readonly Address[];
  /** Address with its prefix length. */
  readonly anchor: string;
  /** `link` for IPv4; keepalived refuses a scope for IPv6, where the address itself says it. */
  readonly anchorScopes: readonly string[];
  /** Addresses with their prefix lengths, in order. */
  readonly vips: readonly string[];
}

/** All of keepalived.conf. */
export interface KeepalivedView {
  /** `reload_check_config` or nothing. */
  readonly globalFlags: readonly string[];
  /** Those of the data path that an instance follows. */
  readonly commonTrackFiles: readonly { readonly name: string; readonly path: string }[];
  readonly instances: readonly InstanceView[];
}

/**
 * Priorities by place in the order. High ones, because VRRP's skew makes low ones slower to take
 * over: 341 ms at 150, 314 ms at 220 (measured with adverts of 100 ms).
 */
const PRIORITIES: readonly number[] = [250, 220, 190];
/**
 * The address owner of RFC 5798, which is master from its first moment (section 6.4.1). Nobody has
 * a new lane, so its first agent need not listen for three adverts: measured with keepalived 2.2.7,
 * a Service that opens a lane answers after 305 ms, not 580. Nobody keeps this priority: it goes
 * with `preempt`, when the lane is reported held.
 */
const OWNER_PRIORITY = 255;
/** Bounds of the time between adverts, as node-plan.ts promises them. */
const ADVERT_INTERVAL_MS_MIN = 30;
const ADVERT_INTERVAL_MS_MAX = 10_000;

/** Decides everything that keepalived.conf says. A plan that breaks its own rules asserts. */
export function keepalivedView(input: KeepalivedInput): KeepalivedView {
  const vipsOfLane = groupVips(input);
  const lanes = input.lanes.toSorted((a, b) =>
    compareText(laneInstanceName(a), laneInstanceName(b)),
  );
  const instances = lanes.map((lane) => instanceView(input, lane, vipsOfLane.get(lane.name) ?? []));
  const names = new Set(instances.map((instance) => instance.name));
  assert(names.size === instances.length, "every lane has a name of its own");
  const checks = input.checksOnReload ?? true;
  const { trackDir } = input.paths;
  const dataPaths = [
    { name: DATA_PATH, path: dataPathTrackFile(trackDir) },
    { name: DATA_PATH_UDP, path: dataPathUdpTrackFile(trackDir) },
  ];
  return {
    globalFlags: checks ? ["reload_check_config"] : [],
    commonTrackFiles: dataPaths.filter(({ name }) =>
      instances.some((instance) => instance.tracked.includes(name)),
    ),
    instances,
  };
}

function groupVips(input: KeepalivedInput): Map<string, VipResource[]> {
  const groups = new Map<string, VipResource[]>(input.lanes.map((lane) => [lane.name, []]));
  const seen = new Set<Address>();
  for (const vip of input.vips) {
    if (vip.carrier.kind !== "lane") continue;
    assert(!seen.has(vip.address), "no address twice");
    seen.add(vip.address);
    present(groups.get(vip.carrier.resource), "the lane of a VIP is in the plan").push(vip);
  }
  return groups;
}

function instanceView(
  input: KeepalivedInput,
  lane: LaneResource,
  vips: readonly VipResource[],
): InstanceView {
  const place = lane.order.findIndex((peer) => peer.agent === input.agent);
  const self = present(lane.order[place], "this agent is in the order of its lanes");
  const others = lane.order.filter((peer) => peer.agent !== input.agent);
  const family = familyOf(self.address);
  assert(
    others.every((peer) => familyOf(peer.address) === family && peer.address !== self.address),
    "the peers of a lane have addresses of one family, none twice",
  );
  const anchor = laneAnchor(lane);
  const name = laneInstanceName(lane);
  return {
    name,
    trackFile: laneTrackFile(input.paths.trackDir, lane).path,
    // Where nobody else can hold the lane, nothing is won by giving it up: it stays.
    tracked: others.length > 0 ? [...dataPathsOf(input, lane), name] : [name],
    link: lane.link,
    routerId: lane.routerId,
    ...roleOf(lane, place),
    advertIntervalSeconds: advertSeconds(lane.advertIntervalMs),
    source: self.address,
    // A lane of one agent sends its adverts to its own anchor, where nobody listens. keepalived
    // refuses a unicast instance without peers, and a multicast one would have to change its
    // socket, and lose the lane, when a peer comes.
    peers: others.length > 0 ? peersOf(others) : [anchor.address],
    anchor: `${anchor.address}/${anchor.prefixLength}`,
    anchorScopes: family === "ipv4" ? ["link"] : [],
    vips: vips.toSorted((a, b) => compareAddress(a.address, b.address)).map(vipPrefix),
  };
}

function dataPathsOf({ udpLanes }: KeepalivedInput, lane: LaneResource): readonly string[] {
  return udpLanes?.has(lane.name) === true ? [DATA_PATH, DATA_PATH_UDP] : [DATA_PATH];
}

/** How the agent at this place begins, and what it may take from a living holder. */
function roleOf(
  { preempt, intentId }: LaneResource,
  place: number,
): Pick<InstanceView, "state" | "priority" | "flags"> {
  const priority = present(PRIORITIES[place], "a lane has at most three agents");
  if (!preempt || place !== 0) return { state: "BACKUP", priority, flags: ["nopreempt"] };
  if (intentId !== undefined) return { state: "BACKUP", priority, flags: [] };
  return { state: "MASTER", priority: OWNER_PRIORITY, flags: [] };
}

function peersOf(others: LaneResource["order"]): Address[] {
  return others.map((peer) => peer.address).toSorted(compareAddress);
}

function advertSeconds(intervalMs: number): string {
  assert(
    intervalMs >= ADVERT_INTERVAL_MS_MIN && intervalMs <= ADVERT_INTERVAL_MS_MAX,
    "the time between adverts is 30 to 10 000 ms",
  );
  return (Math.round(intervalMs / 10) / 100).toFixed(2);
}

function vipPrefix(vip: VipResource): string {
  const bits = familyBits(familyOf(vip.address));
  assert(vip.prefixLength >= 1 && vip.prefixLength <= bits, "a prefix length of the family");
  return `${vip.address}/${vip.prefixLength}`;
}

// What a lane is called on a host: its VRRP instance, its track file, its anchor. Names are made
// of the lane's own id, so they stay through reloads and are the same in every life of the agent.

import {
  type Address,
  type DeviceName,
  type LaneResource,
  type ResourceName,
  addressFromValue,
  assert,
  familyOf,
  present,
} from "@fairlead/model";

/** The one address of an instance that adverts carry; it means nothing to clients. */
export interface LaneAnchor {
  readonly lane: ResourceName;
  readonly address: Address;
  /** 32 or 128. */
  readonly prefixLength: number;
  readonly link: DeviceName;
}

/** The file that takes a lane off this host when it holds another number than 0. */
export interface LaneTrackFile {
  readonly lane: ResourceName;
  /** Absolute path. */
  readonly path: string;
}

/** Name of the track file that all lanes with a successor follow: no lane is called so. */
export const DATA_PATH = "data-path";
/** Name of the one that those with listeners over UDP follow besides. */
export const DATA_PATH_UDP = "data-path-udp";

/** 169.254.255.0 as a number. */
const ANCHOR_IPV4_BASE = 0xa9fe_ff00n;
/** fe80:: as a number. */
const LINK_LOCAL_IPV6_BASE = 0xfe80n << 112n;

/**
 * Name of a lane's VRRP instance: `lane-192.0.2.0-24-51`. keepalived knows instances by name over
 * reloads, so it depends on the lane's id alone.
 */
export function laneInstanceName(lane: LaneResource): string {
  const segment = lane.segment.replaceAll(/[:/]/g, "-");
  return `lane-${segment}-${lane.routerId}`;
}

/** Path of a lane's track file below `trackDir`, an absolute path without a slash at its end. */
export function laneTrackFile(trackDir: string, lane: LaneResource): LaneTrackFile {
  return { lane: lane.name, path: `${trackDir}/${laneInstanceName(lane)}` };
}

/**
 * Path of the track file of the host's data path below `trackDir`. It holds 1 while the data path
 * cannot serve; one write takes every lane that has a successor off this host.
 */
export function dataPathTrackFile(trackDir: string): string {
  return `${trackDir}/${DATA_PATH}`;
}

/**
 * Path of the track file of the host's data path over UDP: one write takes every lane that has a
 * successor and listeners over UDP off this host.
 */
export function dataPathUdpTrackFile(trackDir: string): string {
  return `${trackDir}/${DATA_PATH_UDP}`;
}

/**
 * A lane's anchor: 169.254.255.<router id>, and on a segment where peers speak IPv6 the same bits
 * below fe80:: (fe80::a9fe:ff33 for 51). An instance without an address is refused by keepalived.
 */
export function laneAnchor(lane: LaneResource): LaneAnchor {
  assert(lane.routerId >= 1 && lane.routerId <= 255, "a router id is 1 to 255");
  const family = familyOf(present(lane.order[0], "a lane has an agent").address);
  const value = ANCHOR_IPV4_BASE + BigInt(lane.routerId);
  return family === "ipv4"
    ? anchor(lane, addressFromValue("ipv4", value), 32)
    : anchor(lane, addressFromValue("ipv6", LINK_LOCAL_IPV6_BASE + value), 128);
}

function anchor(lane: LaneResource, address: Address, prefixLength: number): LaneAnchor {
  return { lane: lane.name, address, prefixLength, link: lane.link };
}

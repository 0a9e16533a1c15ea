// Reads names of resources and lanes. Names are made by the model; here they come from a peer, and
// only a name that the model would make is one.

import {
  type Address,
  type LaneId,
  laneId,
  laneName,
  listenerName,
  memberSetName,
  networkText,
  parseAddress,
  parsePrefix,
  type Protocol,
  type ResourceName,
  ROUTER_ID_MAX,
  type Segment,
  vipName,
} from "@fairlead/model";

/** A resource's name taken apart. */
export type NameParts =
  | { readonly kind: "lane"; readonly name: ResourceName; readonly lane: LaneId }
  | { readonly kind: "vip"; readonly name: ResourceName; readonly address: Address }
  | {
      readonly kind: "listener" | "members";
      readonly name: ResourceName;
      readonly address: Address;
      readonly protocol: Protocol;
      readonly port: number;
    };

/** A lane's id taken apart. */
export interface LaneParts {
  readonly lane: LaneId;
  readonly segment: Segment;
  readonly routerId: number;
}

/** Longest name that can be one of ours: an IPv6 segment or address with its decoration. */
const NAME_CHARACTERS_MAX = 80;

/** Reads a resource's name; undefined when the model would not write it so. */
export function parseResourceName(text: string): NameParts | undefined {
  if (text.length > NAME_CHARACTERS_MAX) return undefined;
  const slash = text.indexOf("/");
  const kind = text.slice(0, slash);
  const rest = text.slice(slash + 1);
  if (kind === "lane") {
    const parts = parseLaneId(rest);
    return parts && { kind, name: laneName(parts.lane), lane: parts.lane };
  }
  if (kind === "vip") {
    const address = canonicalAddress(rest);
    return address && { kind, name: vipName(address), address };
  }
  return kind === "listener" || kind === "members" ? parsePortName(kind, rest) : undefined;
}

/** Reads a lane's id: a canonical segment, `#`, and a router id of 1 to 255. */
export function parseLaneId(text: string): LaneParts | undefined {
  const hash = text.lastIndexOf("#");
  const segment = text.slice(0, hash);
  const prefix = hash < 0 ? undefined : parsePrefix(segment);
  if (prefix?.kind !== "ok" || networkText(prefix.value) !== segment) return undefined;
  const routerId = decimal(text.slice(hash + 1), ROUTER_ID_MAX);
  if (routerId === undefined) return undefined;
  return { lane: laneId(segment, routerId), segment, routerId };
}

function parsePortName(kind: "listener" | "members", text: string): NameParts | undefined {
  const [addressText = "", protocol, portText = "", ...more] = text.split("/");
  const address = canonicalAddress(addressText);
  const port = decimal(portText, 65_535);
  if (address === undefined || port === undefined || more.length > 0) return undefined;
  if (protocol !== "tcp" && protocol !== "udp") return undefined;
  const make = kind === "listener" ? listenerName : memberSetName;
  return { kind, name: make(address, protocol, port), address, protocol, port };
}

function canonicalAddress(text: string): Address | undefined {
  const address = parseAddress(text);
  return address === text ? address : undefined;
}

function decimal(text: string, max: number): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

// What an agent says first, and the links in it, to messages and back. Given what an agent says of
// itself: every text of it is bounded and of a closed shape before it goes on.

import { create } from "@bufbuild/protobuf";
import {
  type AgentHello,
  type Capability,
  type Link,
  parseAgentName,
  parseDeviceName,
  type Prefix,
} from "@fairlead/model";
import * as pb from "@fairlead/proto";
import { addressToBytes, prefixFrom, revisionFromBytes, revisionToBytes } from "./address-bytes.ts";
import { complete, counter, type Decoded, decodeAll, ok, refused, token } from "./decoded.ts";

const CAPABILITIES: readonly Capability[] = [
  "vrrp",
  "nginx-stream",
  "ipv6",
  "kernel-datapath",
  "host-addresses",
  "hearing",
];

/** Most links that an agent may name; a host with more has devices that are not for VIPs. */
const LINKS_MAX = 1024;

/** Makes the message. `reportDigest` is hex, as `reportDigest` makes it. */
export function encodeHello(hello: AgentHello, reportDigest?: string): pb.Hello {
  return create(pb.HelloSchema, {
    agent: hello.agent,
    bootId: hello.bootId,
    version: hello.version,
    capabilities: [...hello.capabilities],
    links: hello.links.map(encodeLink),
    epoch: BigInt(hello.epoch),
    planRevision: revisionToBytes(hello.planRevision),
    reportDigest: Buffer.from(reportDigest ?? "", "hex"),
  });
}

/** Reads the message. Capabilities that this build does not know are left out. */
export function decodeHello(message: pb.Hello): Decoded<AgentHello> {
  const links = decodeLinks(message.links);
  if (links.kind === "refused") return links;
  const fields = complete("hello", {
    agent: parseAgentName(message.agent),
    bootId: token(message.bootId),
    version: token(message.version),
    epoch: counter(message.epoch),
    planRevision:
      message.planRevision.length === 0 ? ("" as const) : revisionFromBytes(message.planRevision),
  });
  if (fields.kind === "refused") return fields;
  const { planRevision, ...rest } = fields.value;
  return ok({
    ...rest,
    capabilities: CAPABILITIES.filter((known) => message.capabilities.includes(known)),
    links: links.value,
    ...(planRevision === "" ? {} : { planRevision }),
  });
}

/** Makes the message of a link. */
export function encodeLink(link: Link): pb.Link {
  return create(pb.LinkSchema, {
    name: link.name,
    mac: link.mac,
    up: link.up,
    primary: link.primary,
    prefixes: link.prefixes.map((prefix) => ({
      address: addressToBytes(prefix.address),
      length: prefix.length,
    })),
  });
}

/** Reads all links of a message. */
export function decodeLinks(links: readonly pb.Link[]): Decoded<readonly Link[]> {
  if (links.length > LINKS_MAX) return refused("links: too many");
  return decodeAll(links, decodeLink);
}

function decodeLink(link: pb.Link): Decoded<Link> {
  const prefixes = decodeAll(link.prefixes, decodePrefix);
  if (prefixes.kind === "refused") return prefixes;
  return complete("link", {
    name: parseDeviceName(link.name),
    mac: readMac(link.mac),
    up: link.up,
    primary: link.primary,
    prefixes: prefixes.value,
  });
}

function decodePrefix(message: pb.Prefix): Decoded<Prefix> {
  const prefix = prefixFrom(message.address, message.length);
  return prefix === undefined ? refused("link: bad prefix") : ok(prefix);
}

/** Hardware addresses as the kernel writes them, up to 20 bytes; empty for devices without one. */
export function readMac(text: string): string | undefined {
  return text === "" || /^[0-9a-f]{2}(:[0-9a-f]{2}){0,19}$/.test(text) ? text : undefined;
}

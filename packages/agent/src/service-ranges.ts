// The networks of service addresses, as settings give them. Pure: texts in, ranges out.

import {
  type Address,
  type Prefix,
  addressFromValue,
  addressValue,
  networkOf,
  networkText,
  parsePrefix,
} from "@fairlead/model";
import type { ServiceRange, ServiceRanges } from "@fairlead/render";

/** Networks that nobody routes: of benchmarks (RFC 2544), and one of unique local addresses. */
export const SERVICE_NETWORKS: readonly string[] = ["198.18.0.0/15", "fdfa:1ead::/64"];

/** A network has room for the target, and for 65 536 listeners after it. */
const LENGTH_MAX = { ipv4: 15, ipv6: 111 } as const;

/** What a network must be, for people. */
export const SERVICE_NETWORKS_FORM = "one IPv4 network of /15 or more, and at most one of IPv6";

/** The ranges of one network of IPv4 and at most one of IPv6; undefined when they are none. */
export function parseServiceRanges(texts: readonly string[]): ServiceRanges | undefined {
  const found: { ipv4?: ServiceRange; ipv6?: ServiceRange } = {};
  for (const text of texts) {
    const prefix = parsePrefix(text);
    if (prefix.kind !== "ok") return undefined;
    const { family } = networkOf(prefix.value);
    if (found[family] !== undefined || prefix.value.length > LENGTH_MAX[family]) return undefined;
    found[family] = { network: networkText(prefix.value), target: firstOf(prefix.value) };
  }
  const { ipv4, ipv6 } = found;
  if (ipv4 === undefined) return undefined;
  return { ipv4, ...(ipv6 === undefined ? {} : { ipv6 }) };
}

/** The first address that is not the network's own. */
function firstOf(prefix: Prefix): Address {
  const { family, first } = networkOf(prefix);
  return addressFromValue(family, addressValue(first) + 1n);
}

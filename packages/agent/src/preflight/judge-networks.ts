// Whether the networks of service addresses are free on this host. Each of their addresses becomes
// the host itself, so whatever of the real network lies in them is cut off. Pure.

import {
  type AddressRange,
  networkOf,
  parseAddress,
  parsePrefix,
  rangeContains,
  rangesOverlap,
} from "@fairlead/model";
import { formatHostPort, parseHostPort } from "@fairlead/runtime";

import { HOST_CHECKS } from "./host-line.ts";
import type { JudgeOptions, PreflightProblem } from "./judge-host.ts";
import type { NetworkFacts } from "./network-facts.ts";

/** A host may have many addresses in it; a few tell enough. */
const NAMED_MAX = 3;

/** One problem for each service network that something else is in. */
export function serviceNetworkProblems(
  facts: NetworkFacts,
  { serviceNetworks = [], controllers = [] }: JudgeOptions,
): readonly PreflightProblem[] {
  return serviceNetworks.flatMap((text): PreflightProblem[] => {
    const prefix = parsePrefix(text);
    if (prefix.kind !== "ok") return [];
    const range = networkOf(prefix.value);
    const held = holdersIn(range, facts, controllers);
    if (held.length === 0) return [];
    const more = held.length > NAMED_MAX ? ` and ${held.length - NAMED_MAX} more` : "";
    const named = held.slice(0, NAMED_MAX).join(", ");
    return [
      {
        check: "service-network",
        subject: text,
        what: `the service network ${text} ${verbOf(range, facts)} ${named}${more}`,
        why: HOST_CHECKS["service-network"].why,
        fix: "give another with --service-networks, of addresses that nothing else uses",
      },
    ];
  });
}

/** A service network may also be a part of a device's larger one. */
function verbOf(range: AddressRange, { networks }: NetworkFacts): string {
  const isPart = networks.some(({ prefix }) => {
    const network = networkOf(prefix);
    const isWhole = rangeContains(range, network.first) && rangeContains(range, network.last);
    return rangesOverlap(range, network) && !isWhole;
  });
  return isPart ? "overlaps" : "covers";
}

function holdersIn(
  range: AddressRange,
  { networks, gateways }: NetworkFacts,
  controllers: readonly string[],
): readonly string[] {
  const devices = networks.filter(({ prefix }) => rangesOverlap(range, networkOf(prefix)));
  const routers = gateways.filter((gateway) => rangeContains(range, gateway));
  const texts = controllers.flatMap((text) => text.split(","));
  const places = texts.flatMap((text) => parseHostPort(text.trim()) ?? []);
  const called = places.filter(({ host }) => {
    const address = parseAddress(host);
    return address !== undefined && rangeContains(range, address);
  });
  return [
    ...devices.map(({ prefix, device }) => `${prefix.address}/${prefix.length} of ${device}`),
    ...routers.map((gateway) => `the router ${gateway}`),
    ...called.map((place) => `the controller ${formatHostPort(place)}`),
  ];
}

// Metrics of the IPAM service. Read from what is durable at the moment of a scrape; refusals are
// counted as they happen. Labels are classes, as pools are elsewhere, families and closed lists:
// nobody who registers becomes one.

import { type Family, familyOf, rangeContains, rangeSize } from "@fairlead/model";
import type { Metrics } from "@fairlead/runtime";

import { IPAM_REASONS, type IpamReason } from "./ipam/ipam-refusal.ts";
import type { ClassState, IpamState } from "./ipam/ipam-state.ts";

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

/** Registers what is told of the service. `view` is asked at each scrape. */
export function addIpamMetrics(metrics: Metrics, view: () => IpamState): void {
  metrics.gauge({
    name: "ipam_registrations",
    help: "Registrations of the IPAM service, by class.",
    labels: ["class"],
    collect: (gauge) => {
      gauge.reset();
      for (const world of view().classes.values()) {
        gauge.set({ class: world.class.name }, world.claims.size);
      }
    },
  });
  metrics.gauge({
    name: "ipam_addresses",
    help: "Addresses of a class's netblocks: held, quarantined after a release, or free.",
    labels: ["class", "family", "state"],
    collect: (gauge) => {
      gauge.reset();
      for (const world of view().classes.values()) {
        for (const family of FAMILIES) {
          const counts = countAddresses(world, family);
          if (counts === undefined) continue;
          for (const [state, count] of Object.entries(counts)) {
            gauge.set({ class: world.class.name, family, state }, count);
          }
        }
      }
    },
  });
}

/** Registers the count of refusals. Returns what counts one. */
export function addRefusalMetric(metrics: Metrics): (reason: IpamReason) => void {
  const refusals = metrics.counter({
    name: "ipam_refusals_total",
    help: "Commands that the IPAM service refused, by reason.",
    labels: ["reason"],
  });
  // From the start, so that the first of a kind is an increase.
  for (const reason of Object.keys(IPAM_REASONS)) refusals.inc({ reason }, 0);
  return (reason) => refusals.inc({ reason });
}

/** Undefined where the class has no netblock of the family. */
function countAddresses(
  { netblocks, leases }: ClassState,
  family: Family,
): Readonly<Record<"held" | "quarantined" | "free", number>> | undefined {
  const ranges = netblocks.flatMap(({ range }) => (range.family === family ? [range] : []));
  if (ranges.length === 0) return undefined;
  let held = 0;
  let quarantined = 0;
  for (const { address, state } of leases.values()) {
    if (familyOf(address) !== family) continue;
    if (state.kind === "held") held += 1;
    // What rests may be of a netblock that is gone.
    else if (ranges.some((range) => rangeContains(range, address))) quarantined += 1;
  }
  const size = ranges.reduce((sum, range) => sum + rangeSize(range), 0n);
  return { held, quarantined, free: Number(size - BigInt(held + quarantined)) };
}

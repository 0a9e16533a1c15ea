// Metrics of external pools: how requests to IPAMs elsewhere end, and what is registered there.
// Read from what is planned at the moment of a scrape. Labels are pools and closed lists.

import { ipamLineId } from "@fairlead/model";
import type { Metrics } from "@fairlead/runtime";

import type { CycleView } from "./cycle-view.ts";
import type { IpamRequest, IpamResult } from "./registrar/ipam-line.ts";

/** Registers the count of requests. Returns what counts one. */
export function addRegistrarMetrics(
  metrics: Metrics,
): (request: IpamRequest, result: IpamResult) => void {
  const requests = metrics.counter({
    name: "external_pool_requests_total",
    help: "Requests to the IPAMs of external pools, by what they asked and how they ended.",
    labels: ["request", "result"],
  });
  return (request, result) => requests.inc({ request, result });
}

/** Registers what external pools have. `view` is asked at each scrape. */
export function addExternalPools(metrics: Metrics, view: () => CycleView): void {
  metrics.gauge({
    name: "external_pool_registrations",
    help: "Registrations of external pools: wanted, held, or ending until they are given back.",
    labels: ["pool", "state"],
    zeros: () =>
      [...view().state.pools.values()]
        .filter(({ value: pool }) => pool.external !== undefined)
        .flatMap(({ value: pool }) => STATES.map((state) => ({ pool: pool.name, state }))),
    counts: () =>
      (view().plan?.intents ?? [])
        .filter((intent) => intent.kind === "register")
        .map(({ pool, address, ending }) => {
          const held = address === undefined ? "wanted" : "held";
          return { pool, state: ending === true ? "ending" : held };
        }),
  });
  metrics.gauge({
    name: "external_pool_reachable",
    help: "Whether the IPAM of an external pool could be asked when it was asked last.",
    labels: ["pool"],
    collect: (gauge) => {
      gauge.reset();
      const { pools, ipam } = view().state;
      for (const { value: pool } of pools.values()) {
        if (pool.external === undefined) continue;
        const isAway = ipam.troubles.has(ipamLineId(pool.name, pool.external.url));
        gauge.set({ pool: pool.name }, isAway ? 0 : 1);
      }
    },
  });
}

const STATES = ["wanted", "held", "ending"] as const;

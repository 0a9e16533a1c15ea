// Puts the REST server together: the IPAM service with its store, the routes, the port. Like
// controller.ts it knows the adapters, and starts them as parts of the controller.

import {
  type Clock,
  type HostPort,
  type Lifecycle,
  type Logger,
  type Metrics,
  formatHostPort,
} from "@fairlead/runtime";

import { ipamRoutes } from "./api/rest/ipam-routes.ts";
import { openapiRoute } from "./api/rest/openapi.ts";
import { createRestServer } from "./api/rest/rest-server.ts";
import { randomUuid } from "./ipam/ipam-model.ts";
import { createIpamService } from "./ipam/ipam-service.ts";
import { addIpamMetrics, addRefusalMetric } from "./ipam-metrics.ts";
import type { RestSettings } from "./rest-settings.ts";
import { createSqliteIpamStore } from "./store/sqlite/sqlite-ipam-store.ts";

/** What it runs in. */
export interface ServeRestOptions {
  /** Undefined: nothing is served. */
  readonly settings: RestSettings | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
}

/** Starts it all, the store first, so that it ends last. Resolves with where it listens. */
export async function serveRest(options: ServeRestOptions): Promise<HostPort | undefined> {
  const { settings, clock, log, lifecycle, metrics } = options;
  if (settings === undefined) return undefined;
  const { listen, ipamPath, ipamLeaseMs: leaseMs, ipamGraceMs: graceMs } = settings;
  const store = createSqliteIpamStore({ path: ipamPath });
  await lifecycle.start("IPAM store", () => store);
  const onRefused = addRefusalMetric(metrics);
  const service = await lifecycle.start("IPAM service", () =>
    createIpamService({ store, clock, log, leaseMs, graceMs, onRefused }),
  );
  addIpamMetrics(metrics, () => service.view());
  const routes = [...ipamRoutes({ service, newUuid: randomUuid }), openapiRoute()];
  const server = await lifecycle.start("REST server", () =>
    createRestServer({ listen, log, routes }),
  );
  log.info({ rest: formatHostPort(server.address) }, "REST is served");
  return server.address;
}

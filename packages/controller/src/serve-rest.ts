// Puts the REST server together: the IPAM service with its store, the routes, the port. Like
// controller.ts it knows the adapters, and starts them as parts of the controller.

import { assert } from "@fairlead/model";
import {
  type Clock,
  type HostPort,
  type Lifecycle,
  type Logger,
  type Metrics,
  formatHostPort,
  namingFlag,
} from "@fairlead/runtime";

import type { Adapters } from "./adapters.ts";
import { ipamRoutes } from "./api/rest/ipam-routes.ts";
import { openapiRoute } from "./api/rest/openapi.ts";
import { createRestServer } from "./api/rest/rest-server.ts";
import type { LeadFeed } from "./election/lead-feed.ts";
import { randomUuid } from "./ipam/ipam-model.ts";
import type { IpamReason } from "./ipam/ipam-refusal.ts";
import { type IpamService, createIpamService } from "./ipam/ipam-service.ts";
import type { IpamState } from "./ipam/ipam-state.ts";
import { createLedIpam } from "./ipam/led-ipam.ts";
import type { IpamStore } from "./ipam/ports.ts";
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
  /** Where the rows are kept that controllers share; needed where settings name no file. */
  readonly ports?: Pick<Adapters, "ipamStore"> & { readonly lead: LeadFeed };
}

/** Starts it all, the store first, so that it ends last. Resolves with where it listens. */
export async function serveRest(options: ServeRestOptions): Promise<HostPort | undefined> {
  const { settings, log, lifecycle, metrics } = options;
  if (settings === undefined) return undefined;
  const { listen, ipamPath } = settings;
  const onRefused = addRefusalMetric(metrics);
  const { service, shown } =
    ipamPath === undefined
      ? await startShared(options, settings, onRefused)
      : await startAlone(options, { ...settings, ipamPath }, onRefused);
  addIpamMetrics(metrics, shown);
  const routes = [...ipamRoutes({ service, newUuid: randomUuid }), openapiRoute()];
  const server = await lifecycle.start("REST server", () =>
    namingFlag({ flag: "--listen-rest", at: listen }, () =>
      createRestServer({ listen, log, routes }),
    ),
  );
  log.info({ rest: formatHostPort(server.address) }, "REST is served");
  return server.address;
}

interface Started {
  readonly service: IpamService;
  readonly shown: () => IpamState;
}

/** Over a file that nobody else has. */
async function startAlone(
  { clock, log, lifecycle }: ServeRestOptions,
  settings: RestSettings & { readonly ipamPath: string },
  onRefused: (reason: IpamReason) => void,
): Promise<Started> {
  const { ipamPath, ipamLeaseMs: leaseMs, ipamGraceMs: graceMs } = settings;
  const store = createSqliteIpamStore({ path: ipamPath });
  await lifecycle.start("IPAM store", () => store);
  const service = await lifecycle.start("IPAM service", () =>
    createIpamService({ store, clock, log, leaseMs, graceMs, onRefused }),
  );
  return { service, shown: () => service.view() };
}

/** Over rows that every controller reaches: while this one leads. */
async function startShared(
  { clock, log, lifecycle, ports }: ServeRestOptions,
  { ipamLeaseMs: leaseMs, ipamGraceMs: graceMs }: RestSettings,
  onRefused: (reason: IpamReason) => void,
): Promise<Started> {
  assert(ports?.ipamStore !== undefined, "settings name a file where no rows are shared");
  const { lead, ipamStore } = ports;
  const service = await lifecycle.start("IPAM service", () =>
    createLedIpam({
      clock,
      log,
      lead: () => lead.election.view(),
      open: async (onStoreError) => {
        const store = ipamStore();
        try {
          const made = { store, clock, log, leaseMs, graceMs, onRefused, onStoreError };
          return withStore(await createIpamService(made), store);
        } catch (error) {
          await store[Symbol.asyncDispose]();
          throw error;
        }
      },
    }),
  );
  lead.follow(service);
  return { service, shown: () => service.shown() };
}

/** The service, which ends its store as well: both at once, as one waits for the other's writes. */
function withStore(service: IpamService, store: IpamStore): IpamService {
  return {
    view: () => service.view(),
    run: (command) => service.run(command),
    timesOf: (registration) => service.timesOf(registration),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([service[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
    },
  };
}

// The door of the streams' server inside the controller: main wires it, the API asks it.

export { createSyncMetrics } from "./sync-metrics.ts";
export type { SyncServerOptions } from "./sync-options.ts";
export { createSyncServer, type SyncServer } from "./sync-server.ts";

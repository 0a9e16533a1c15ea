// The door of the streams' server inside the controller: main wires it, the API asks it.

export { createSyncMetrics } from "./sync-metrics.ts";
export { createSyncServer, type SyncServer, type SyncServerOptions } from "./sync-server.ts";

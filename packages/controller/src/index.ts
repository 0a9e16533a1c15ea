// The door of the controller: what starts it in a process, the loop's view, its ports and facts,
// and the parts of which scenarios and benches make one without a cluster.

export { type Act, type ActResult } from "./acts/act.ts";
export { type AdminContext } from "./api/grpc/admin-context.ts";
export { explain } from "./api/grpc/explain.ts";
export { list } from "./api/grpc/list.ts";
export { listLanes } from "./api/grpc/list-lanes.ts";
export { type ClusterState, type Seen } from "./cluster-state.ts";
export { formatTrouble } from "./trouble.ts";
export { type ControllerOptions, type RunningController, runController } from "./controller.ts";
export { type CopyOutcome, countsText } from "./copy-store.ts";
export { type CopyNamedStoresOptions, copyNamedStores } from "./copy-named-stores.ts";
export { checkCopyFlags, COPY_SETTINGS, type CopyFlags } from "./copy-settings.ts";
export { createPoolSource } from "./config/pool-source.ts";
export { readConfiguredPools } from "./config/pools.ts";
export { type Cycle, type CycleOptions, createCycle } from "./cycle.ts";
export { type CycleView } from "./cycle-view.ts";
export { createSoleElection } from "./election/sole-election.ts";
export { everyControllerMetric } from "./every-metric.ts";
export * from "./facts.ts";
export * as ipamCommands from "./ipam/commands.ts";
export { type IpamChange, parseUuid, type StoredIpam, type Uuid } from "./ipam/ipam-model.ts";
export { createIpamService, type IpamService } from "./ipam/ipam-service.ts";
export { type IpamStore } from "./ipam/ports.ts";
export { eventProblem } from "./kube/event-rules.ts";
export { isRightMissing } from "./kube/grant-commands.ts";
export {
  createKubeClient,
  type KubeAccess,
  type KubeClient,
  type KubeRequest,
  type KubeRequestOptions,
} from "./kube/kube-client.ts";
export { isKubeError } from "./kube/kube-errors.ts";
export { readServiceRecord } from "./kube/read-record.ts";
export { FINALIZER, type ServiceRecord } from "./kube/service-record.ts";
export { keepLeases, type LeaseKeeping, type LeaseKeepingOptions } from "./keep-leases.ts";
export * from "./ports.ts";
export { type IpamAnswer, type IpamClient } from "./registrar/ports.ts";
export { createRegistrar, type RegistrarOptions } from "./registrar/registrar.ts";
export { type ProgramOptions, runProgram } from "./program.ts";
export { type EventSeries, seriesRequest } from "./publish/kube/event-series.ts";
export { type ServiceWrite } from "./publish/kube/next-write.ts";
export { poolStatusRequest } from "./publish/kube/pool-publisher.ts";
export { writeRequest } from "./publish/kube/write-request.ts";
export { failureResult } from "./publish/kube/write-result.ts";
export { statusTexts } from "./publish/folder/folder-publisher.ts";
export {
  CONTROLLER_EXTRA_KEYS,
  CONTROLLER_SETTINGS,
  type ControllerFlags,
  type ControllerSettings,
  type ControllerSettingsTable,
  checkControllerFlags,
  controllerSettings,
} from "./settings.ts";
export { sqlitePath } from "./store-settings.ts";
export { createKubeIpamStore } from "./store/kube/kube-ipam-store.ts";
export { createKubeStore, type KubeStoreOptions } from "./store/kube/kube-store.ts";
export { ALIASES, PREFIX } from "./sources/aliases.ts";
export { WISH_WORDS, type WishWords } from "./sources/wish-words.ts";
export { type FolderDisk } from "./sources/folder/folder-disk.ts";
export { type FolderSourceOptions, createFolderSource } from "./sources/folder/folder-source.ts";
export { type Listing } from "./sources/folder/scan.ts";
export { type SourceObject } from "./sources/objects.ts";
export { ClaimTable } from "./sources/kube/claim-table.ts";
export { createKubeSource, type KubeSourceOptions } from "./sources/kube/kube-source.ts";
export { createListWatch, type ListWatch } from "./sources/kube/list-watch.ts";
export { readSlice } from "./sources/kube/read-object.ts";
export { readService } from "./sources/kube/read-service.ts";
export { createSyncServer, type SyncServer, type SyncServerOptions } from "./sync/index.ts";

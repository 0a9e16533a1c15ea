// The door of the controller: what starts it in a process, the loop's view, its ports and facts.

export { type ClusterState, type Seen } from "./cluster-state.ts";
export {
  type ControllerOptions,
  type ControllerPorts,
  type RunningController,
  runController,
} from "./controller.ts";
export { type Cycle } from "./cycle.ts";
export { type CycleView } from "./cycle-view.ts";
export * from "./facts.ts";
export * from "./ports.ts";
export { type ProgramOptions, runProgram } from "./program.ts";
export {
  CONTROLLER_EXTRA_KEYS,
  CONTROLLER_SETTINGS,
  type ControllerFlags,
  type ControllerSettings,
  type ControllerSettingsTable,
  checkControllerFlags,
  controllerSettings,
} from "./settings.ts";
export { createSyncServer, type SyncServer, type SyncServerOptions } from "./sync/index.ts";

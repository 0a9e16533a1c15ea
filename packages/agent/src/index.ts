// The door of the agent: its ports for adapters and fakes, its loop and the guard's text for
// scenarios, and itself for `fairlead run`.

export { type AgentOptions, type RunningAgent, startAgent } from "./agent.ts";
export { claimRunDir } from "./agent-pid.ts";
export { type Converge, createConverge } from "./converge.ts";
export type { ConvergeOptions } from "./converge-options.ts";
export type { Host } from "./host.ts";
export { type Placeable, type PlaceBook, NO_PLACES, placeAll } from "./service-places.ts";
export { generationId } from "./generation-id.ts";
export { type ControllerLinkOptions, createControllerLink } from "./link/controller-link.ts";
export { watchLinkUps } from "./link-ups.ts";
export { type NetlinkKernelOptions, createNetlinkKernel } from "./netlink/kernel.ts";
export { createAgentMetrics } from "./metrics.ts";
export { guardSets, tableChange, wholeTable } from "./nft/guard-table.ts";
export type * from "./ports.ts";
export type { Dial, DialEvents, DialedCall } from "./link/dial.ts";
export { checkHost } from "./check-host.ts";
export {
  HOST_CHECKS,
  type HostCheckEntry,
  type HostLine,
  type HostVerdict,
} from "./preflight/host-line.ts";
export { SERVICE_NETWORKS } from "./service-ranges.ts";
export { type HostPrograms, problemText, runPreflight } from "./preflight/preflight.ts";
export {
  AGENT_SETTINGS,
  type AgentSettings,
  type AgentSettingsTable,
  checkServiceNetworks,
  STOP_SETTINGS,
  usedServiceNetworks,
} from "./settings.ts";

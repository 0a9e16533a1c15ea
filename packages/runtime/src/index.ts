// The door of runtime: what every program needs and nothing of the product. Other packages import
// from here alone.

export * from "./all-addresses.ts";
export * from "./atomic-file.ts";
export * from "./backoff.ts";
export { abortReason, type Clock, createSystemClock, type Timer } from "./clock.ts";
export * from "./collect-after-start.ts";
export * from "./deadline.ts";
export * from "./duration.ts";
export * from "./errors.ts";
export * from "./escape.ts";
export * from "./fake-clock.ts";
export * from "./health-server.ts";
export * from "./host-port.ts";
export * from "./http-listen.ts";
export * from "./lean-modules.ts";
export { KNOWN_VARIABLES } from "./known-variables.ts";
export * from "./latest.ts";
export * from "./listen-places.ts";
export * from "./lifecycle.ts";
export * from "./log.ts";
export {
  createTimerDelay,
  type LoopDelay,
  type LoopDelays,
  type TimerDelay,
} from "./loop-delay.ts";
export * from "./make-folder.ts";
export * from "./metrics.ts";
export * from "./nearest.ts";
export * from "./pace.ts";
export * from "./process.ts";
export { programName } from "./program-name.ts";
export { type Complaint, formatComplaint, quoteValue } from "./setting-complaint.ts";
export * from "./setting-help.ts";
export * from "./setting-names.ts";
export * from "./setting-types.ts";
export * from "./settings.ts";
export * from "./signals.ts";
export { findOwners, type SocketOwner } from "./socket-owner.ts";
export * from "./turns.ts";
export * from "./version.ts";
export * from "./warn-strange.ts";

// The door of lab: hosts as network namespaces, for the demo and the end-to-end tests.

export type { CommandOptions, CommandResult } from "./command-result.ts";
export type { HeldAddress } from "./held-address.ts";
export type { Host, HostOptions } from "./host.ts";
export type { Exit } from "./detached-process.ts";
export { createLab, type Lab, type LabOptions } from "./lab.ts";
export type { LabError, LabErrorCode } from "./lab-error.ts";
export { monotonicMs } from "./monotonic.ts";
export type { Identity } from "./namespace-command.ts";
export type { PartitionWindow } from "./partition-book.ts";
export type { ProgramOptions, RunningProgram, StopResult } from "./running-program.ts";

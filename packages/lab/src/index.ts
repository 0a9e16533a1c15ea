// The door of lab: hosts as network namespaces, for the demo and the end-to-end tests.

export type { ApiAnswer, ApiConnection, ApiRequest, ApiStream } from "./cluster/api-connection.ts";
export { type AuditEntry, isWrite } from "./cluster/audit-log.ts";
export type { ClusterProgram } from "./cluster/cluster-program.ts";
export type { ClusterUser } from "./cluster/cluster-users.ts";
export { type Cluster, type ClusterOptions, startCluster } from "./cluster/cluster.ts";
export type { ClusterPrograms } from "./cluster/control-plane.ts";
export {
  type EtcdCluster,
  type EtcdClusterOptions,
  type EtcdKey,
  type EtcdMember,
  startEtcdCluster,
} from "./cluster/etcd-cluster.ts";
export type { EtcdSnapshot } from "./cluster/etcd-copies.ts";
export type { Credentials } from "./cluster/kubeconfig.ts";
export { type KwokOptions, startKwok } from "./cluster/kwok.ts";
export type { Place } from "./cluster/place.ts";
export type { CommandOptions, CommandResult } from "./command-result.ts";
export type { Exit } from "./detached-process.ts";
export { type Door, type DoorOptions, openDoor } from "./door.ts";
export type { HeldAddress } from "./held-address.ts";
export type { HolderEvent } from "./holder-history.ts";
export { type HolderRecorder, recordHolders } from "./holder-recorder.ts";
export type { HostOptions } from "./host-boot.ts";
export type { Host } from "./host.ts";
export { createLab, type Lab, type LabOptions } from "./lab.ts";
export type { LabError, LabErrorCode } from "./lab-error.ts";
export { type MemberOptions, startMember } from "./member-server.ts";
export { monotonicMs } from "./monotonic.ts";
export type { Identity } from "./namespace-command.ts";
export { asNormalUser } from "./normal-user.ts";
export type { PartitionWindow } from "./partition-book.ts";
export { type Probe, type ProbeOptions, type ProbeResult, startProbe } from "./probe-client.ts";
export { type ProbeSummary, type Silence, summarizeTries, type Try } from "./probe-tries.ts";
export type { ProgramOptions, RunningProgram, StopResult } from "./running-program.ts";
export type { SwitchPort } from "./switch-port.ts";

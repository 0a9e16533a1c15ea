// The door of testkit: builders, arbitraries, fakes that behave, judges. For tests alone.

export * from "./fakes/fake-agent.ts";
export * from "./fakes/fake-failures.ts";
export * from "./fakes/fake-host.ts";
export { createFakeMemberTable } from "./fakes/fake-member-table.ts";
export * from "./fakes/fake-segment.ts";
export { type Happening, happening } from "./happening.ts";
export * from "./node-plan-builders.ts";
export { heldWorld } from "./held-world.ts";
export * from "./judge.ts";
export { type ReadKeepalived, readKeepalived } from "./grammar/keepalived-grammar.ts";
export { type ReadNginx, readNginx } from "./grammar/nginx-grammar.ts";
export {
  GUARD_WORDS,
  MEMBER_WORDS,
  type NftGrammarOptions,
  nftFaults,
  VRRP_WORDS,
} from "./grammar/nft-grammar.ts";
export { anyText, hostile, MARK, STRANGE } from "./grammar/hostile-text.ts";
export * from "./kube/kube-client.ts";
export type * from "./kube/kube-resource.ts";
export type { KubeEvent, KubeWatch } from "./kube/kube-watch.ts";
export { type NamespaceStage, testNamespaceContract } from "./cluster-writes/namespace-contract.ts";
export {
  type PoolWriteStage,
  testPoolWriteContract,
} from "./cluster-writes/pool-write-contract.ts";
export { testWriteContract } from "./cluster-writes/write-contract.ts";
export { type HandWritten, type WriteStage, writeStageOver } from "./cluster-writes/write-stage.ts";
export { type EtcdPlace, shareEtcd, type SharedEtcdOptions } from "./shared-etcd.ts";
export { inSandbox, type SandboxOptions } from "./sandbox.ts";
export * from "./fakes/memory-ipam.ts";
export * from "./fakes/memory-ipam-store.ts";
export * from "./fakes/memory-store.ts";
export { type IpamClientStage, testIpamClientContract } from "./ipam-client-contract.ts";
export { testIpamStoreContract } from "./ipam-store-contract.ts";
export * from "./store-contract.ts";
export { makeLease } from "./store-samples.ts";
export * from "./builders.ts";
export * from "./web-service.ts";
export * from "./world-arbitraries.ts";
export * from "./world-histories.ts";
export * from "./world-ring.ts";
export * from "./plan-arbitraries.ts";
export * from "./report-arbitraries.ts";
export * from "./host-addresses.ts";
export * from "./plan-answers.ts";
export { type PropertyRuns, propertyRuns } from "./property-runs.ts";
export {
  type CycleStage,
  type CycleStageOptions,
  makeCycleStage,
  ROUND_MS,
} from "./cycle/cycle-stage.ts";
export { type LeadStage, type LeadStageOptions, makeLeadStage } from "./cycle/lead-stage.ts";
export { NOTICES_MS } from "./cycle/played-ports.ts";
export * from "./cycle/told-facts.ts";
export * from "./cycle-views.ts";
export { type ChainCase, testChains } from "./explain/chain-golden.ts";
export { adminContextOf, IN_SYNC, reportWithout, type Situation } from "./explain/situations.ts";
export { type KubeStub, type KubeStubOptions, startKubeStub } from "./kube-stub/kube-stub.ts";
export { chunkedAnswer, type RawServer, startRawServer } from "./kube-stub/raw-server.ts";
export { testListWatchContract } from "./list-watch/list-watch-contract.ts";
export {
  createFastClock,
  type ListWatchStage,
  makeStubStage,
  STORY_MS_MAX,
  storyService,
  type StubStage,
} from "./list-watch/list-watch-stage.ts";
export { followServices, type StoryFollower } from "./list-watch/story-follower.ts";
export { beginStubScene, untilWatched } from "./list-watch/stub-scene.ts";
export { openTcpGate, type TcpGate } from "./kube-stub/tcp-gate.ts";

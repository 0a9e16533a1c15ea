// The door of wire: the contract as the rest of the project uses it. Controller, agent and command
// line import messages, codecs, revisions and gRPC set-up from here and never the generated code.

export {
  create,
  type JsonObject,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
export {
  ActOutcome,
  type ActResult as ActResultRow,
  ActResultSchema,
  AdminService,
  type AddressRow,
  AddressRowSchema,
  AgentDebugService,
  type AskSegmentRequest,
  type AskSegmentResponse,
  AskSegmentResponseSchema,
  type AgentRow,
  AgentRowSchema,
  AgentService,
  type ClaimAddress,
  ClaimAddressSchema,
  type ClaimRow,
  ClaimRowSchema,
  type Condition,
  ConditionSchema,
  type ControllerRow,
  ControllerRowSchema,
  type DescribePoolResponse,
  DescribePoolResponseSchema,
  type ExportLeasesResponse,
  ExportLeasesResponseSchema,
  type ExplainRequest,
  ExplainRequestSchema,
  type ExplainResponse,
  ExplainResponseSchema,
  type ExplainStep,
  ExplainStepSchema,
  type FindingRow,
  FindingRowSchema,
  type GetFilesResponseSchema,
  type GetLastApplyResponseSchema,
  type GetMembersRequest,
  type GetMembersResponse,
  GetMembersResponseSchema,
  type GetObservedRequest,
  type GetObservedResponseSchema,
  type GetPlanRequest,
  type GetPlanResponseSchema,
  type ImportLeasesRequest,
  type LaneMove,
  LaneMoveSchema,
  type LaneRow,
  type LeaseBook,
  LeaseBookSchema,
  LinkState,
  ListKind,
  type ListLanesResponse,
  ListLanesResponseSchema,
  type ListRequest,
  ListRequestSchema,
  type ListResponse,
  ListResponseSchema,
  type MoveRecord as MoveRecordRow,
  type PoolDetail,
  PoolDetailSchema,
  type PoolRow,
  PoolRowSchema,
  type Remark as RemarkRow,
  RemarkSchema as RemarkRowSchema,
  type SyncRequest,
  SyncRequestSchema,
  type SyncResponse,
  SyncResponseSchema,
  type Update,
  type WatchRequest,
  type WatchResponse,
  WatchResponseSchema,
  type TableListener,
  type TableMember,
} from "@fairlead/proto";
export { addressFromBytes, addressToBytes } from "./address-bytes.ts";
export { bindServer, closeServer } from "./bind-server.ts";
export { type DecodedLeases, decodeLeaseBook, encodeLeaseBook } from "./lease-book-codec.ts";
export { type Decoded, DETAIL_CHARACTERS_MAX, type Refused } from "./decoded.ts";
export { type CallTrouble, callTrouble } from "./call-trouble.ts";
export {
  channelCredentials,
  channelOptions,
  type Credentials,
  MESSAGE_BYTES_MAX,
  serverCredentials,
  serverOptions,
  UPDATE_BYTES_MAX,
} from "./grpc-options.ts";
export { addIntrospection, type Health } from "./introspection.ts";
export { decodeResource, encodeResource, type RevisedResource } from "./node-plan-codec.ts";
export { keepalivedWord } from "./keepalived-word.ts";
export { createHeartbeat, type Heartbeat, type HeartbeatClock } from "./heartbeat.ts";
export { unconfirmedRemovalsMax } from "./removal-guard.ts";
export { decodeReport, encodeReport, type FoldedReport, isSameReport } from "./report-codec.ts";
export {
  explainToJson,
  leaseBookFromJson,
  leaseBookToJson,
  listToJson,
  poolsToJson,
  rowToJson,
} from "./admin-json.ts";
export { createPlanWriter, PLAN_FORMAT, planFromText, type RevisedPlan } from "./plan-text.ts";
export { reportDigest } from "./report-digest.ts";
export { isSameResourceReport } from "./resource-report-codec.ts";
export { parseLaneId, parseResourceName } from "./resource-name.ts";
export { createRevisions, type Revisions } from "./revision.ts";
export { serviceDefinition, type ServiceTable } from "./service-definition.ts";
export { NotReadyError, unaryHandler } from "./unary-handler.ts";
export { type UpdateRefusal } from "./words.ts";
export {
  decodeFromAgent,
  decodeFromController,
  encodeFromAgent,
  encodeToAgent,
  type FromAgent,
  type FromController,
  type Inventory,
  type ToAgent,
  type Welcome,
  type Wish,
} from "./stream-codec.ts";
export { type Ack, type IncomingUpdate, type Nack, type OutgoingUpdate } from "./update-codec.ts";

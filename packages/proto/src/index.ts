// The door of the generated contract: messages and services of proto/fairlead/v1, nothing else.

export * from "./gen/fairlead/v1/admin_pb.ts";
export * from "./gen/fairlead/v1/agent_debug_pb.ts";
export * from "./gen/fairlead/v1/agent_pb.ts";
export * from "./gen/fairlead/v1/plan_pb.ts";
export * from "./gen/fairlead/v1/report_pb.ts";

// What agents are told when the controller ends their streams, and why it does so.

import { status } from "@grpc/grpc-js";

import type { StreamEnd } from "./agent-stream.ts";

/** The controller ends. The agent tries all that it knows. */
export const STOPPING: StreamEnd = {
  code: status.UNAVAILABLE,
  detail: "the controller is stopping",
};

/** The agent goes to the next controller that it knows. */
export const STANDS_BY: StreamEnd = {
  code: status.UNAVAILABLE,
  detail: "this controller does not lead",
};

/** Of an agent that said that it leaves. */
export const LEFT: StreamEnd = { code: status.OK, detail: "its operator withdrew it" };

/** The agent came back before its old stream was seen to be broken. */
export const REPLACED: StreamEnd = {
  code: status.ABORTED,
  detail: "a newer stream of this agent was opened",
};

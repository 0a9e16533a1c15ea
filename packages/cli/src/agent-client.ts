// Asks one agent over its AgentDebugService. Given where it listens, which is the loopback of its
// own host; every call has a deadline, and every failure becomes one EdgeError.

import { Client, type MethodDefinition, type ServiceError, status } from "@grpc/grpc-js";

import { EdgeError } from "@fairlead/runtime";
import {
  AgentDebugService,
  type AskSegmentResponse,
  channelCredentials,
  channelOptions,
  type GetMembersResponse,
  serviceDefinition,
} from "@fairlead/wire";

/** How a call to an agent failed. */
export type AgentErrorCode = "UNREACHABLE" | "FAILED";

/** An agent, as the command line sees it. */
export interface AgentClient extends Disposable {
  /** Who has an address on the segment now. */
  askSegment(address: string): Promise<AskSegmentResponse>;
  /** The table of members, or what of it the subject names. */
  getMembers(subject: string): Promise<GetMembersResponse>;
}

const TABLE = serviceDefinition(AgentDebugService);

/** Makes a client; the connection opens with the first call. */
export function createAgentClient(options: {
  /** HOST:PORT. */
  readonly agent: string;
  /** Longest wait for an answer, in ms. */
  readonly deadlineMs: number;
}): AgentClient {
  const { agent, deadlineMs } = options;
  const client = new Client(agent, channelCredentials({ kind: "insecure" }), channelOptions());
  const call = <Asked, Answer>(
    { path, requestSerialize, responseDeserialize }: MethodDefinition<Asked, Answer>,
    asked: Asked,
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        asked,
        { deadline: new Date(Date.now() + deadlineMs) },
        (error, answer) => {
          if (error === null && answer !== undefined) resolve(answer);
          else reject(agentError(agent, error));
        },
      );
    });
  return {
    askSegment: (address) => call(TABLE.askSegment, { address }),
    getMembers: (subject) => call(TABLE.getMembers, { subject }),
    [Symbol.dispose]: () => client.close(),
  };
}

/** The one place where an error of grpc-js becomes ours. */
function agentError(agent: string, error: ServiceError | null): EdgeError<AgentErrorCode> {
  const isSilent = error?.code === status.UNAVAILABLE || error?.code === status.DEADLINE_EXCEEDED;
  return new EdgeError({
    code: isSilent ? "UNREACHABLE" : "FAILED",
    message: isSilent
      ? `no agent answers at ${agent}`
      : `the agent at ${agent} answered: ${error?.details ?? "nothing"}`,
    retryable: isSilent,
    cause: error,
  });
}

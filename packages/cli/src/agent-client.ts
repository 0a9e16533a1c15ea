// Asks one agent over its AgentDebugService. Given where it listens, which is the loopback of its
// own host; every call has a deadline, and every failure becomes one EdgeError.

import { Client, type MethodDefinition, type ServiceError } from "@grpc/grpc-js";

import { EdgeError } from "@fairlead/runtime";
import {
  AgentDebugService,
  type AskSegmentResponse,
  callTrouble,
  channelCredentials,
  channelOptions,
  type GetMembersResponse,
  serviceDefinition,
} from "@fairlead/wire";

import { SLOW_MS } from "./slow.ts";

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
  /** Called once for each call that is long without an answer. */
  readonly onSlow: () => void;
}): AgentClient {
  const { agent, deadlineMs, onSlow } = options;
  const client = new Client(agent, channelCredentials({ kind: "insecure" }), channelOptions());
  const call = <Asked, Answer>(
    { path, requestSerialize, responseDeserialize }: MethodDefinition<Asked, Answer>,
    asked: Asked,
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const slow = setTimeout(onSlow, SLOW_MS);
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        asked,
        { deadline: new Date(Date.now() + deadlineMs) },
        (error, answer) => {
          clearTimeout(slow);
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
  const { kind, why } = callTrouble(error);
  const isAnswer = kind === "answered";
  return new EdgeError({
    code: isAnswer ? "FAILED" : "UNREACHABLE",
    message: isAnswer
      ? `the agent at ${agent} answered: ${why}`
      : `no agent answers at ${agent}: ${why}`,
    retryable: kind === "silent",
  });
}

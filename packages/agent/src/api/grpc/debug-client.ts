// Asks an agent's debug service, for tests: over real gRPC, in clear text, and with no more room
// for an answer than gRPC gives by itself.

import { Client } from "@grpc/grpc-js";
import { type HostPort, formatHostPort } from "@fairlead/runtime";
import {
  AgentDebugService,
  channelCredentials,
  type MessageInitShape,
  type MessageShape,
  serviceDefinition,
} from "@fairlead/wire";

type Methods = (typeof AgentDebugService)["method"];
type Answer<Name extends keyof Methods> = MessageShape<Methods[Name]["output"]>;
type Asked<Name extends keyof Methods> = MessageInitShape<Methods[Name]["input"]>;

/** A connection to one agent. */
export interface DebugClient extends Disposable {
  /** Calls a method by its name. Rejects with what gRPC says. */
  readonly ask: <Name extends keyof Methods>(
    name: Name,
    request: Asked<Name>,
  ) => Promise<Answer<Name>>;
}

/** Connects to the debug service at this place. */
export function askDebug(at: HostPort): DebugClient {
  const table = serviceDefinition(AgentDebugService);
  const client = new Client(formatHostPort(at), channelCredentials({ kind: "insecure" }));
  return {
    ask: <Name extends keyof Methods>(name: Name, request: Asked<Name>) => {
      const { promise, resolve, reject } = Promise.withResolvers<Answer<Name>>();
      const { path, requestSerialize, responseDeserialize } = table[name];
      client.makeUnaryRequest(
        path,
        (asked: Asked<Name>) => requestSerialize(asked),
        (bytes: Buffer) => responseDeserialize(bytes),
        request,
        (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
      );
      return promise;
    },
    [Symbol.dispose]: () => client.close(),
  };
}

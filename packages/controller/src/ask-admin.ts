// Asks a controller as the command line does, for tests: over real gRPC, in clear text.

import { Client } from "@grpc/grpc-js";
import { type HostPort, formatHostPort } from "@fairlead/runtime";
import {
  AdminService,
  type ExplainResponse,
  type ListResponse,
  channelCredentials,
  channelOptions,
  serviceDefinition,
} from "@fairlead/wire";

/** Questions to one controller. */
export interface AdminAsked {
  list(): Promise<ListResponse>;
  explain(subject: string): Promise<ExplainResponse>;
}

/** Asks the admin port at this place, each time over a connection of its own. */
export function askAdmin(at: HostPort): AdminAsked {
  const table = serviceDefinition(AdminService);
  const call = <Answer>(
    run: (client: Client, done: (error: Error | null, answer?: Answer) => void) => void,
  ): Promise<Answer> => {
    const credentials = channelCredentials({ kind: "insecure" });
    const client = new Client(formatHostPort(at), credentials, channelOptions());
    return new Promise<Answer>((resolve, reject) => {
      run(client, (error, answer) => {
        client.close();
        if (answer === undefined) reject(error ?? new Error("no answer"));
        else resolve(answer);
      });
    });
  };
  return {
    list: () =>
      call((client, done) => {
        const { path, requestSerialize, responseDeserialize } = table.list;
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { kinds: [] }, done);
      }),
    explain: (subject) =>
      call((client, done) => {
        const { path, requestSerialize, responseDeserialize } = table.explain;
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { subject }, done);
      }),
  };
}

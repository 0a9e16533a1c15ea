// Asks the controller of its host over AdminService, one question a line of its standard input. The
// answers are JSON in lines of bounded length, each behind the question's number; "." ends one. It
// lives over restarts of the controller, so that tests can ask often; and it ends with its input.

import { createInterface } from "node:readline";

import { Client, type ServiceError } from "@grpc/grpc-js";

import {
  AdminService,
  channelCredentials,
  channelOptions,
  explainToJson,
  listToJson,
  serviceDefinition,
} from "@fairlead/wire";

const SERVER = "127.0.0.1:7705";
const DEADLINE_MS = 2_000;
/** Longer lines are cut by whoever reads them. */
const LINE_CHARACTERS_MAX = 30_000;
const { list, explain } = serviceDefinition(AdminService);

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const { id, subject } = JSON.parse(line) as { readonly id: number; readonly subject?: string };
  void (subject === undefined ? askList() : askExplain(subject)).then(
    (answer) => tell(id, { answer }),
    (error: unknown) => tell(id, { error: String(error) }),
  );
}

function tell(id: number, value: unknown): void {
  const text = JSON.stringify(value);
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += LINE_CHARACTERS_MAX) {
    lines.push(`${id} ${text.slice(at, at + LINE_CHARACTERS_MAX)}\n`);
  }
  process.stdout.write(`${lines.join("")}${id} .\n`);
}

function askList(): Promise<unknown> {
  return call((client, settle) => {
    const { path, requestSerialize, responseDeserialize } = list;
    const options = { deadline: Date.now() + DEADLINE_MS };
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { kinds: [] },
      options,
      (error, answer) => settle(error, answer === undefined ? undefined : listToJson(answer)),
    );
  });
}

function askExplain(subject: string): Promise<unknown> {
  return call((client, settle) => {
    const { path, requestSerialize, responseDeserialize } = explain;
    const options = { deadline: Date.now() + DEADLINE_MS };
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { subject },
      options,
      (error, answer) => settle(error, answer === undefined ? undefined : explainToJson(answer)),
    );
  });
}

type Settle = (error: ServiceError | null, answer: unknown) => void;

/** A client for each question: none keeps waiting for a controller that is being started again. */
function call(ask: (client: Client, settle: Settle) => void): Promise<unknown> {
  const client = new Client(SERVER, channelCredentials({ kind: "insecure" }), channelOptions());
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  ask(client, (error, answer) => {
    client.close();
    if (error === null) resolve(answer);
    else reject(error);
  });
  return promise;
}

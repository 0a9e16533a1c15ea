// Run on the control host: asks for the agents alone, often and over one connection, and prints a
// line with the time whenever what they want or prove has changed. Given on its input a JSON line
// with a path and a text, it writes that file and prints when. It ends with its input.

import { renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

import { Client } from "@grpc/grpc-js";

import { monotonicMs } from "@fairlead/lab";
import {
  AdminService,
  channelCredentials,
  channelOptions,
  ListKind,
  type ListResponse,
  serviceDefinition,
} from "@fairlead/wire";

const SERVER = "127.0.0.1:7705";
const EVERY_MS = 8;
const { list } = serviceDefinition(AdminService);
const client = new Client(SERVER, channelCredentials({ kind: "insecure" }), channelOptions());
let last = "";

setInterval(() => {
  client.makeUnaryRequest(
    list.path,
    list.requestSerialize,
    list.responseDeserialize,
    { kinds: [ListKind.AGENTS] },
    (_error, answer) => tell(answer),
  );
}, EVERY_MS);
createInterface({ input: process.stdin })
  .on("line", write)
  .on("close", () => process.exit(0));
process.stdout.write("ready\n");

function write(line: string): void {
  const { path, text } = JSON.parse(line) as { readonly path: string; readonly text: string };
  const hidden = join(dirname(path), ".new");
  writeFileSync(hidden, text);
  renameSync(hidden, path);
  process.stdout.write(`wrote ${monotonicMs()}\n`);
}

function tell(answer: ListResponse | undefined): void {
  if (answer === undefined) return;
  const wanted = answer.agents.map((row) => row.wantedRevision).join(",");
  const synced = answer.agents.filter((row) => row.sync === "in-sync").length;
  const now = `${wanted} ${synced}`;
  if (now === last) return;
  last = now;
  process.stdout.write(`at ${monotonicMs()} ${now}\n`);
}

// `fairlead agents forget` against a controller in this process, over real gRPC: an agent that is
// played by hand, and goes while an address waits for it.

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { agentName, makeAgent } from "@fairlead/testkit";
import {
  AgentService,
  channelCredentials,
  channelOptions,
  encodeFromAgent,
  serviceDefinition,
  type SyncRequest,
  type SyncResponse,
} from "@fairlead/wire";
import { Client } from "@grpc/grpc-js";

import { EXIT } from "../exit-codes.ts";
import { openStage, type Said, type Stage } from "../test-stage.ts";

const FORGET = ["agents", "forget", "lb1", "--i-have-powered-it-off"] as const;

test("an agent that is powered off is forgotten, and its addresses wait for it no more", async () => {
  await using stage = await openStage("web");
  const powerOff = connectAgent(stage.agentsAt, "lb1");
  await until(stage, ["lease", "describe", "192.0.2.100"], /^Order: +lb1$/m);
  const early = await stage.run(...FORGET);
  assert.equal(early.code, EXIT.refused);
  assert.match(early.err, /^ {2}why: {2}lb1 is connected since its last hello/m);

  powerOff();
  rmSync(join(stage.root, "manifests", "web.yaml"));
  await until(stage, ["lease", "list"], /^192\.0\.2\.100 +lan +draining /m);
  await until(stage, ["agents"], /^lb1 +disconnected /m);
  const said = await stage.run(...FORGET);
  assert.equal(said.code, EXIT.good, said.err);
  assert.equal(
    said.out,
    "will: lb1 is named by 1 addresses and 1 lanes; nobody waits for it any more, and others take its place\n" +
      "done: lb1 is forgotten; when it connects again it is a new agent\n",
  );
  const listed = await stage.run("lease", "list", "--no-headers");
  assert.match(listed.out, /^192\.0\.2\.100 +lan +quarantined /, "it rests like any other");
  assert.doesNotMatch((await stage.run("agents")).out, /lb1/);
  const again = await stage.run(...FORGET);
  assert.equal(again.code, EXIT.notFound);
  assert.match(again.err, /no agent is called lb1/);
});

/** Says hello for an agent. Gives what cuts its line. */
function connectAgent(at: string, name: string): () => void {
  const { sync } = serviceDefinition(AgentService);
  const client = new Client(at, channelCredentials({ kind: "insecure" }), channelOptions());
  const call = client.makeBidiStreamRequest<SyncRequest, SyncResponse>(
    sync.path,
    (message) => sync.requestSerialize(message),
    sync.responseDeserialize,
  );
  // That it is cut is no news here.
  call.on("error", () => undefined).on("data", () => undefined);
  const { hello } = makeAgent(name, { prefixes: ["192.0.2.11/24"] });
  const said = { ...hello, agent: agentName(name) };
  call.write(encodeFromAgent({ kind: "hello", hello: said, reportDigest: undefined }));
  return () => {
    call.cancel();
    client.close();
  };
}

/** Asks until the answer matches. The test's own deadline ends it otherwise. */
async function until(stage: Stage, asked: readonly string[], pattern: RegExp): Promise<Said> {
  for (;;) {
    const said = await stage.run(...asked);
    if (pattern.test(said.out)) return said;
  }
}

// What an operator sees who asks a segment: a real gRPC server plays the agent.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Server } from "@grpc/grpc-js";
import {
  AgentDebugService,
  type AskSegmentResponseSchema,
  bindServer,
  closeServer,
  type MessageInitShape,
  serverOptions,
  serviceDefinition,
  unaryHandler,
} from "@fairlead/wire";

import { EXIT } from "../exit-codes.ts";
import { runProgram } from "../program.ts";

type Answer = MessageInitShape<typeof AskSegmentResponseSchema>;

async function check(
  answer: Answer,
  ...more: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const server = new Server(serverOptions());
  server.addService(serviceDefinition(AgentDebugService), {
    askSegment: unaryHandler(() => answer, String),
  });
  const port = await bindServer(server, "127.0.0.1:0", { kind: "insecure" });
  let out = "";
  let err = "";
  const args = ["check", "address", "192.0.2.50", "--agent", `127.0.0.1:${port}`, ...more];
  const code = await runProgram(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  });
  await closeServer(server);
  return { code, out, err };
}

const MAC = "02:00:00:00:99:99";
const at = { address: "192.0.2.50", link: "eth0" };
const cases: readonly {
  readonly name: string;
  readonly answer: Answer;
  readonly code: number;
  readonly says: string;
}[] = [
  {
    name: "a stranger is bad, and named",
    answer: { ...at, who: "stranger", mac: MAC },
    code: EXIT.bad,
    says: `${MAC}, which is none of our hosts, answers for 192.0.2.50 on eth0\n`,
  },
  {
    name: "silence is good",
    answer: { ...at, who: "nobody" },
    code: EXIT.good,
    says: "nobody answers for 192.0.2.50 on eth0\n",
  },
  {
    name: "a host of ours is good",
    answer: { ...at, who: "peer", mac: MAC },
    code: EXIT.good,
    says: `${MAC}, a load-balancer host of ours, answers for 192.0.2.50 on eth0\n`,
  },
  {
    name: "the host itself is good",
    answer: { ...at, who: "here" },
    code: EXIT.good,
    says: "this host has 192.0.2.50 on eth0\n",
  },
];
for (const { name, answer, code, says } of cases) {
  test(`check address: ${name}`, async () => {
    const seen = await check(answer);
    assert.deepEqual(seen, { code, out: says, err: "" });
  });
}

test("check address: what cannot be asked is said in four parts", async () => {
  const seen = await check({ ...at, trouble: "cannot ask the segment: EPERM" });
  assert.equal(seen.code, EXIT.bad);
  assert.match(seen.err, /nobody could be asked for 192\.0\.2\.50[^]*EPERM[^]*do:/);
});

test("check address: a program gets the contract's fields", async () => {
  const { out } = await check({ ...at, who: "stranger", mac: MAC }, "-o", "json");
  assert.deepEqual(JSON.parse(out), { ...at, who: "stranger", mac: MAC, trouble: "" });
});

test("check address: without an agent nothing is said of the address", async () => {
  let err = "";
  const code = await runProgram(["check", "address", "192.0.2.50", "--agent", "127.0.0.1:1"], {
    out: () => assert.fail("there is no answer"),
    err: (text) => void (err += text),
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  });
  assert.equal(code, EXIT.unreachable);
  assert.match(err, /no agent answers at 127\.0\.0\.1:1/);
});

// `fairlead pool` against a controller that is played by hand, over real gRPC: what is asked, what
// is written, and the exit codes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Server } from "@grpc/grpc-js";
import {
  AdminService,
  bindServer,
  closeServer,
  type DescribePoolResponseSchema,
  type ListKind,
  type ListResponseSchema,
  type MessageInitShape,
  serverOptions,
  serviceDefinition,
  unaryHandler,
} from "@fairlead/wire";

import { EXIT } from "../exit-codes.ts";
import { runProgram } from "../program.ts";

const used = { name: "lan", state: "used", usage: [{ family: "ipv4", size: "4", held: 1n }] };
const refused = { name: "late", state: "refused" };

interface Answers {
  readonly pools?: MessageInitShape<typeof ListResponseSchema>["pools"];
  readonly described?: MessageInitShape<typeof DescribePoolResponseSchema>;
}

async function ask(answers: Answers, ...args: readonly string[]) {
  const server = new Server(serverOptions());
  const asked: unknown[] = [];
  const failed = (): string => "it failed";
  server.addService(serviceDefinition(AdminService), {
    list: unaryHandler(({ kinds }: { readonly kinds: readonly ListKind[] }) => {
      asked.push(kinds);
      return { pools: answers.pools ?? [] };
    }, failed),
    describePool: unaryHandler(({ name }: { readonly name: string }) => {
      asked.push(name);
      return answers.described ?? {};
    }, failed),
  });
  const port = await bindServer(server, "127.0.0.1:0", { kind: "insecure" });
  let out = "";
  let err = "";
  const code = await runProgram(["pool", ...args, "--server", `127.0.0.1:${port}`], {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  });
  await closeServer(server);
  return { code, out, err, asked };
}

test("pool list is good while every pool is used", async () => {
  const { code, out, asked } = await ask({ pools: [used] }, "list");
  assert.deepEqual([code, asked], [EXIT.good, [[3]]]);
  assert.match(out, /^NAME .*\nlan .* ipv4 +1 +4 +\[#####\.{15}\]25% +used +-\n$/);
});

test("pool list is bad when one is refused, in any form", async () => {
  const { code, out } = await ask({ pools: [used, refused] }, "list", "-o", "json");
  assert.equal(code, EXIT.bad);
  const { pools } = JSON.parse(out) as { readonly pools: readonly { readonly name: string }[] };
  assert.deepEqual(
    pools.map(({ name }) => name),
    ["lan", "late"],
  );
});

test("pool describe asks for one, or for all", async () => {
  const described = { pools: [{ row: used, addresses: ["192.0.2.1-192.0.2.4"] }] };
  const one = await ask({ described }, "describe", "lan", "-o", "yaml");
  assert.deepEqual([one.code, one.asked], [EXIT.good, ["lan"]]);
  assert.match(one.out, /addresses:\n +- 192\.0\.2\.1-192\.0\.2\.4\n/);
  const all = await ask({ described }, "describe");
  assert.deepEqual([all.code, all.asked], [EXIT.good, [""]]);
  assert.match(all.out, /^Name: +lan\n/);
});

test("pool describe of what is none names what is near", async () => {
  const { code, out, err } = await ask({ described: { similar: ["lan"] } }, "describe", "lna");
  assert.deepEqual([code, out], [EXIT.notFound, ""]);
  assert.match(err, /there is no pool called "lna"\n.*\n +do: +Did you mean lan\?/);
});

test("pool describe of an empty name is not pool describe of all", async () => {
  const { code, err } = await ask({ pools: [used] }, "describe", "");
  assert.equal(code, EXIT.notFound);
  assert.match(err, /there is no pool called ""/);
});

test("an option that pool does not know is wrong usage", async () => {
  const { code, err } = await ask({}, "list", "--wdie");
  assert.equal(code, EXIT.usage);
  assert.match(err, /unknown option '--wdie'/);
});

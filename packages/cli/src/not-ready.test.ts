// What lists say while the controller cannot know everything: that there may be more, by a line on
// standard error and the exit code. A backup of what is not known is not written. The controller is
// played by hand.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { Server } from "@grpc/grpc-js";

import {
  AdminService,
  bindServer,
  closeServer,
  type ListResponseSchema,
  type MessageInitShape,
  NotReadyError,
  serverOptions,
  serviceDefinition,
  unaryHandler,
} from "@fairlead/wire";

import { EXIT } from "./exit-codes.ts";
import { runProgram } from "./program.ts";

type Row = NonNullable<MessageInitShape<typeof ListResponseSchema>["controller"]>;

interface Played extends AsyncDisposable {
  run(...args: readonly string[]): Promise<{ readonly code: number; readonly err: string }>;
}

/** A controller that knows nothing, and says this of itself. */
async function play(controller: Row): Promise<Played> {
  const server = new Server(serverOptions());
  const onFailed = (error: unknown): string => assert.fail(String(error));
  server.addService(serviceDefinition(AdminService), {
    list: unaryHandler(() => ({ controller }), onFailed),
    exportLeases: unaryHandler(() => {
      throw new NotReadyError("the leases are not known here");
    }, onFailed),
  });
  const port = await bindServer(server, "127.0.0.1:0", { kind: "insecure" });
  return {
    run: async (...args) => {
      let err = "";
      const code = await runProgram([...args, "--server", `127.0.0.1:${port}`], {
        out: () => undefined,
        err: (text) => void (err += text),
        onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
      });
      return { code, err };
    },
    [Symbol.asyncDispose]: () => closeServer(server),
  };
}

const cases = [
  {
    name: "sources are being listed",
    row: { ready: false, detail: "sources are being listed", leader: "vm-1" },
    says: /^the controller is not ready, and there may be more than this: sources are being/,
  },
  {
    name: "another one leads",
    row: { ready: true, standsBy: true, leader: "vm-1" },
    says: /^this controller stands by, and knows nothing of what is served; vm-1 leads: ask on/,
  },
] as const;

for (const { name, row, says } of cases) {
  test(`while ${name} no list counts as whole`, async () => {
    await using controller = await play(row);
    const address = ["lease", "describe", "192.0.2.100"];
    for (const command of [["lease", "list"], ["pool", "list"], ["agents"], address]) {
      const { code, err } = await controller.run(...command);
      assert.equal(code, EXIT.bad, command.join(" "));
      assert.match(err, says);
    }
  });
}

test("of a controller that is ready a list is whole", async () => {
  await using controller = await play({ ready: true });
  assert.deepEqual(await controller.run("lease", "list"), { code: EXIT.good, err: "" });
});

test("leases that are not known are not written to a file", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-unknown-"));
  t.after(() => rmSync(folder, { recursive: true }));
  await using controller = await play({ ready: false });
  const { code, err } = await controller.run("lease", "export", join(folder, "leases.json"));
  assert.equal(code, EXIT.bad);
  assert.match(err, /why: .*the leases are not known here\n {2}do: {3}Ask again when/);
  assert.ok(!existsSync(join(folder, "leases.json")));
});

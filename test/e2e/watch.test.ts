// An operator who leaves `fairlead status -w` running beside a controller: the real programs, a
// real Ctrl-C, and a controller that is ended meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startLocalController } from "./stage/local-controller.ts";
import { manifest, service } from "./stage/manifests.ts";
import { startSpoken } from "./stage/spoken-program.ts";
import { program } from "./stage/stage.ts";

test("status -w shows a Service that comes, and Ctrl-C ends it with 130", async () => {
  await using controller = await startLocalController();
  const args = ["status", "-w", "--server", controller.admin];
  await using watching = startSpoken(program("fairlead"), args);
  await watching.until(/nothing is asked for\n/);
  controller.write("web.yaml", manifest(service({ name: "web" })));
  await watching.until(/^default\/web +192\.0\.2\.10 +80\/TCP +- +pending +NoAgents\n/m);
  watching.kill("SIGINT");
  assert.equal(await watching.exit, 130);
  assert.equal(watching.complaints(), "");
});

test("status -w ends with 3 and one line when the controller ends", async () => {
  await using controller = await startLocalController();
  const args = ["status", "-w", "--server", controller.admin];
  await using watching = startSpoken(program("fairlead"), args);
  await watching.until(/nothing is asked for\n/);
  controller.program.kill("SIGTERM");
  assert.equal(await watching.exit, 3);
  assert.equal(
    watching.complaints(),
    `error: the controller at ${controller.admin} went away: the controller is stopping\n`,
  );
});

test("status -w ends without a word when nobody reads any more", async () => {
  await using controller = await startLocalController();
  const line = `${program("fairlead")} status -w --server ${controller.admin} | head -n 1`;
  await using watching = startSpoken("bash", ["-c", `${line}; echo "ended \${PIPESTATUS[0]}"`]);
  await watching.until(/^NAME +ADDRESS/);
  controller.write("web.yaml", manifest(service({ name: "web" })));
  await watching.until(/ended 141\n/);
  assert.equal(watching.complaints(), "");
});

// Two hosts with one name, as where one was cloned from the other: the first is served on, and both
// the operator and the second agent are told who has the name.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { program, STATE_DIR } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

/** Who is refused asks again every few seconds; after a quarter of a minute it is forgotten. */
const FORGOTTEN_MS_MAX = 30_000;

story("a cloned host is refused the name that another one has", { balancers: 2 }, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const web = await stage.served("default/web");
  await using probe = await startProbe(stage.client, { address: web.address, port: 80 });
  await probe.waitForAnswer(5_000);

  const clone = await stage.lab.addHost("clone", {
    address: "10.77.0.14/24",
    gateway: "10.77.0.1",
  });
  const agent = await clone.start(program("fairlead-agent"), [
    "--insecure",
    `--name=${web.holder}`,
    `--controller=${stage.control.address}:7702`,
    `--state-dir=${STATE_DIR}`,
  ]);
  const whose = `speaks in the name of ${web.holder}, which ${stage.lab.host(web.holder).address} has`;
  await agent.waitForLine(new RegExp(`ALREADY_EXISTS.*${whose}: .*--name of its own`), 20_000);
  const found = await stage.until("the operator is told of it", ({ findings }) =>
    findings.find(({ remark }) => remark?.reason === "AgentNameTaken"),
  );
  assert.equal(found.remark?.detail, `${clone.address} ${whose}`);
  const chain = await stage.fairlead("explain", web.holder);
  assert.match(chain.stdout, /FL0418/);
  assert.deepEqual(await stage.served("default/web"), web);

  await agent.stop();
  await stage.until(
    "nobody else asks for the name",
    ({ findings }) => (findings.length === 0 ? true : undefined),
    FORGOTTEN_MS_MAX,
  );
  noneFailed(await probe.stop());
});

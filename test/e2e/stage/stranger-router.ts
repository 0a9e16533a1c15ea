// A keepalived of somebody else on the stage's segment: it speaks to everybody by the group, as is
// usual, with the id of the first lane of ours and surer of itself than ours are.

import assert from "node:assert/strict";

import type { RunningProgram } from "@fairlead/lab";

import type { Stage } from "./stage.ts";

const CONFIG = `
global_defs {
  vrrp_version 3
}
vrrp_instance stranger {
  state MASTER
  interface eth0
  virtual_router_id 1
  priority 254
  advert_int 0.1
  virtual_ipaddress {
    10.77.0.200/32
  }
}
`;
const NAMED_MS_MAX = 20_000;

/** Starts it, and resolves when the stage's controller has named it by its address. */
export async function startStrangerRouter(stage: Stage): Promise<RunningProgram> {
  const stranger = await stage.lab.addHost("stranger", { address: "10.77.0.77/24" });
  await stranger.writeFile(`${stranger.dir}/stranger.conf`, CONFIG);
  const files = ["-f", "stranger.conf", "-p", "a.pid", "-r", "b.pid"].map((word) =>
    word.startsWith("-") ? word : `${stranger.dir}/${word}`,
  );
  const keepalived = await stranger.start("keepalived", ["-n", "-P", ...files]);
  assert.equal(keepalived.hasExited(), false);
  const finding = await stage.until(
    "the stranger's router is named",
    ({ findings }) => findings.find(({ remark }) => remark?.reason === "RouterIdHeard"),
    NAMED_MS_MAX,
  );
  assert.match(finding.remark?.detail ?? "", new RegExp(`^${stranger.address} speaks VRRP `));
  return keepalived;
}

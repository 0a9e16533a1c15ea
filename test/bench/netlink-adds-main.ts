// Run on a host of the lab: puts addresses on its link by the agent's adapter, removes them, and
// does the same by `ip -batch`, round by round. Prints the ms of the adds of both.

import { execFileSync } from "node:child_process";

import { createNetlinkKernel } from "@fairlead/agent";
import { parseAddress, parseDeviceName, present } from "@fairlead/model";
import { createLogger, createSystemClock } from "@fairlead/runtime";

const [count = 0, rounds = 0] = process.argv.slice(2).map(Number);
const IP = "/usr/sbin/ip";
const clock = createSystemClock();
const logger = createLogger({ level: "silent", format: "json" });
const link = present(parseDeviceName("eth0"), "a good name");
const vips = Array.from({ length: count }, (_, index) => {
  const text = `10.77.${4 + (index >> 8)}.${index & 255}`;
  return { address: present(parseAddress(text), "a good address"), prefixLength: 32, link };
});

await using kernel = await createNetlinkKernel({ clock, logger, ipProgram: IP });
for (let round = 0; round <= rounds; round += 1) {
  const ours = await timed(() => Promise.all(vips.map((vip) => kernel.putAddress(vip))));
  await Promise.all(vips.map((vip) => kernel.removeAddress(vip)));
  const theirs = await timed(() => batch("add"));
  batch("delete");
  // The first warms up.
  if (round > 0) process.stdout.write(`${ours.toFixed(1)} ${theirs.toFixed(1)}\n`);
}

async function timed(run: () => unknown): Promise<number> {
  const begunMs = performance.now();
  await run();
  return performance.now() - begunMs;
}

function batch(verb: string): void {
  const lines = vips.map((vip) => `address ${verb} ${vip.address}/32 dev eth0 label eth0:lb`);
  execFileSync(IP, ["-batch", "-"], { input: `${lines.join("\n")}\n` });
}

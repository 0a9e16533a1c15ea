// A host of somebody else on the stage's segment whose keepalived speaks to everybody by the group,
// as is usual: over IPv4, or over IPv6 where the stage has nothing else. It is surer of itself than
// ours are, and it has the id of the first lane of ours beside one that none of ours has yet.

import assert from "node:assert/strict";

import type { Host } from "@fairlead/lab";

import type { Stage } from "./stage.ts";

/** The id of the first lane, and the one that the next lane would have. */
const OURS = 1;
const NEXT = 2;
const NAMED_MS_MAX = 20_000;
const MASTER_MS_MAX = 10_000;

/** The stranger, until it is disposed of. */
export interface StrangerRouter extends AsyncDisposable {
  /** The id that it has beside the one of our lane. */
  readonly nextId: number;
}

/** Starts it, and resolves when the controller has named it by where it speaks from. */
export async function startStrangerRouter(stage: Stage): Promise<StrangerRouter> {
  const isIpv6 = stage.control.address.includes(":");
  const address = isIpv6 ? "fd77::77/64" : "10.77.0.77/24";
  const stranger = await stage.lab.addHost("stranger", { address });
  // Who hears of the second has heard of the first.
  await speak(stranger, NEXT, isIpv6 ? "fd77::201/128" : "10.77.0.201/32");
  await speak(stranger, OURS, isIpv6 ? "fd77::200/128" : "10.77.0.200/32");
  const source = isIpv6 ? await linkLocalOf(stranger) : stranger.address;
  const words = `${source} speaks VRRP on eth0 with router id ${OURS} of lane `;
  await stage.until(
    `it is said that ${words}`,
    ({ findings }) =>
      findings.some(
        ({ remark }) => remark?.reason === "RouterIdHeard" && remark.detail.startsWith(words),
      ) || undefined,
    NAMED_MS_MAX,
  );
  return { nextId: NEXT, [Symbol.asyncDispose]: () => stage.lab.removeHost("stranger") };
}

async function speak(stranger: Host, routerId: number, address: string): Promise<void> {
  const path = (name: string): string => `${stranger.dir}/${routerId}.${name}`;
  await stranger.writeFile(
    path("conf"),
    `
global_defs {
  vrrp_version 3
}
vrrp_instance stranger {
  state MASTER
  interface eth0
  virtual_router_id ${routerId}
  priority 254
  advert_int 0.1
  virtual_ipaddress {
    ${address}
  }
}
`,
  );
  const files = ["-f", path("conf"), "-p", path("pid"), "-r", path("vrrp-pid")];
  const keepalived = await stranger.start("keepalived", ["-n", "-l", "-P", ...files]);
  await keepalived.waitForLine(/Entering MASTER STATE/, MASTER_MS_MAX);
}

/** VRRP over IPv6 speaks from there, whatever other addresses there are (RFC 9568). */
async function linkLocalOf(host: Host): Promise<string> {
  const found = (await host.addresses()).find(({ address }) => address.startsWith("fe80:"));
  assert.ok(found !== undefined, "a device with IPv6 has one");
  return found.address;
}

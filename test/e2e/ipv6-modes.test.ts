// IPv6 addresses that agents hold by netlink alone: on the device of one host, and on each host its
// own. They have the prefix of the device's own route and a short life in the kernel, come back
// when others remove them, and go with their last user.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createLab, type Host, monotonicMs } from "@fairlead/lab";

import { manifest, pool, service } from "./stage/manifests.ts";
import { FOLDER, makeOneHost, startRun, untilShown } from "./stage/one-host.ts";
import { story } from "./stage/story.ts";
import { answers } from "./stage/visitor.ts";

const MEMBERS = ["fd77::21", "fd77::22"];
const STOP_MS_MAX = 20_000;
/** Whoever removes one from outside finds it there again. */
const PUT_BACK_MS_MAX = 1_000;
/** The life that an address has without its agent, in s. */
const LIFE_S_MAX = 60;

test("on one host IPv6 addresses come, stay and go, and what was there before is left alone", async () => {
  await using lab = await createLab();
  const { host, client } = await makeOneHost(lab, (last) => ({
    address: `fd77::${last}/64`,
    gateway: "fd77::1",
  }));
  await host.output("ip", ["address", "add", "fd77::105/64", "dev", "eth0"]);
  const own = await shown(host);
  const write = (name: string, port: number, loadBalancerIP: string): Promise<void> => {
    const annotations = { "fairlead.io/sharing-key": "shop" };
    const options = { ports: [{ port, targetPort: 8080 }], spec: { loadBalancerIP } };
    const text = manifest(service({ name, annotations, members: MEMBERS, ...options }));
    return host.writeFile(`${FOLDER}/${name}.yaml`, text);
  };
  await write("web", 80, "fd77::100");
  await write("api", 81, "fd77::100");
  await write("old", 80, "fd77::105");
  await write("far", 80, "fd88::5");
  const flags = ["--pool", "lan=fd77::100-fd77::109,fd88::5"];
  // Its own agent comes to where its controller listens, also where that is no address of IPv4.
  let running = await startRun(host, [...flags, "--keep-on-exit", "--listen-agents=[::1]:7702"]);
  const served = [...own, "fd77::100/64 brief", "fd88::5/128 brief"].toSorted();
  await untilShown(() => shown(host), served);
  for (const [address, port] of [
    ["fd77::100", 80],
    ["fd77::100", 81],
    ["fd77::105", 80],
  ] as const) {
    const byMember = await answers(client, { address, port });
    assert.deepEqual(Object.keys(byMember), ["member1", "member2"], `[${address}]:${port}`);
  }

  await putBack(host, "fd77::100/64", served);
  await host.removeFile(`${FOLDER}/web.yaml`);
  await host.removeFile(`${FOLDER}/far.yaml`);
  const shared = [...own, "fd77::100/64 brief"].toSorted();
  await untilShown(() => shown(host), shared);
  await answers(client, { address: "fd77::100", port: 81 });
  await host.removeFile(`${FOLDER}/api.yaml`);
  await host.removeFile(`${FOLDER}/old.yaml`);
  await untilShown(() => shown(host), own);
  await write("web", 80, "fd77::100");
  await untilShown(() => shown(host), shared);

  // Nothing on it says whose it is: a label is for IPv4 alone.
  await running.stop("SIGTERM", STOP_MS_MAX);
  assert.deepEqual(await shown(host), [...own, "fd77::100/64 for ever"].toSorted());
  running = await startRun(host, flags);
  await untilShown(() => shown(host), shared);
  await running.stop("SIGTERM", STOP_MS_MAX);
  assert.deepEqual(await shown(host), own);
});

story(
  "each host has an IPv6 address of its own for a Service, for as long as that is there",
  { isIpv6Only: true, pools: [] },
  async (stage) => {
    const lan = pool("lan", ["fd77::120-fd77::129"]);
    const spec = { ...(lan["spec"] as object), mode: "host" };
    const own = await Promise.all(stage.balancers.map(shown));
    await stage.write("pool.yaml", [{ ...lan, spec }]);
    await stage.write("web.yaml", service({ name: "web", members: MEMBERS }));
    const addresses = ["fd77::120", "fd77::121", "fd77::122"];
    const held = addresses.map((address, index) => {
      return [...(own[index] ?? []), `${address}/64 brief`].toSorted();
    });
    for (const [index, host] of stage.balancers.entries()) {
      await untilShown(() => shown(host), held[index] ?? []);
    }
    for (const address of addresses) await answers(stage.client, { address, port: 80 }, 5);
    await stage.inSync();

    const [host] = stage.balancers;
    assert.ok(host !== undefined);
    await putBack(host, "fd77::120/64", held[0] ?? []);
    await answers(stage.client, { address: "fd77::120", port: 80 }, 5);

    await stage.remove("web.yaml");
    for (const [index, one] of stage.balancers.entries()) {
      await untilShown(() => shown(one), own[index] ?? []);
    }
  },
);

/** Removes an address as others do, and waits until it is there again. */
async function putBack(host: Host, address: string, wanted: readonly string[]): Promise<void> {
  const goneMs = monotonicMs();
  await host.output("ip", ["address", "del", address, "dev", "eth0"]);
  await untilShown(() => shown(host), wanted);
  const tookMs = monotonicMs() - goneMs;
  assert.ok(tookMs < PUT_BACK_MS_MAX, `put back after ${Math.round(tookMs)} ms`);
}

/** Global IPv6 addresses of the device: `fd77::100/64 brief`, or `for ever`. */
async function shown(host: Host): Promise<readonly string[]> {
  const text = await host.output("ip", [
    "-6",
    "-j",
    "address",
    "show",
    "dev",
    "eth0",
    "scope",
    "global",
  ]);
  const [device] = JSON.parse(text) as readonly { readonly addr_info: readonly Shown[] }[];
  return (device?.addr_info ?? [])
    .map(({ local, prefixlen, valid_life_time: lifeS }) => {
      return `${local}/${prefixlen} ${lifeS <= LIFE_S_MAX ? "brief" : "for ever"}`;
    })
    .toSorted();
}

interface Shown {
  readonly local: string;
  readonly prefixlen: number;
  readonly valid_life_time: number;
}

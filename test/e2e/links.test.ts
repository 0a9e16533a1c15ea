// What happens to the devices of load-balancer hosts while they hold addresses: they flap, change
// their MTU, their name and their address, and go away and come back. Addresses are served on by
// somebody, and the host is whole again by itself.

import assert from "node:assert/strict";

import { type Host, startProbe } from "@fairlead/lab";

import { agentIs } from "./stage/agent-is.ts";
import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import type { Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

const TAKEOVER_MS_MAX = 5_000;
const TWO = { balancers: 2 } as const;

async function ip(host: Host, ...commands: readonly string[]): Promise<void> {
  await host.output("ip", ["-batch", "-"], { input: `${commands.join("\n")}\n` });
}

async function speaksFrom(stage: Stage, host: Host, words: string): Promise<void> {
  const path = "/run/fairlead/keepalived/keepalived.conf";
  let text = "";
  // It is replaced by another file now and then, and is there again at the next look.
  const read = async (): Promise<void> => {
    text = await host.readFile(path).catch(() => text);
  };
  await read();
  await stage.until(`${host.name} has ${words}`, () => {
    void read();
    return text.includes(words) ? true : undefined;
  });
}

/** The other host takes the address when this one is cut off, and so could. */
async function canHold(stage: Stage, address: string, holder: string): Promise<void> {
  await stage.lab.host(holder).cutLink();
  await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);
  await stage.lab.host(holder).healLink();
  await agentIs(stage, holder, "connected");
  await stage.served("default/web");
}

story(
  "a link flaps, and an MTU changes: one holds the address, and only its own link matters",
  TWO,
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    await stage.backed();
    await using probe = await startProbe(stage.client, { address, port: 80 });
    await probe.waitForAnswer(TAKEOVER_MS_MAX);
    const flap = async (name: string): Promise<void> => {
      for (let time = 0; time < 5; time += 1) {
        await stage.lab.host(name).cutLink();
        await stage.lab.host(name).healLink();
      }
    };
    const successor = holder === "lb1" ? "lb2" : "lb1";
    await flap(successor);
    await ip(stage.lab.host(holder), "link set eth0 mtu 1400", "link set eth0 mtu 1500");
    await agentIs(stage, successor, "connected");
    await stage.inSync();
    assert.deepEqual(stage.recorder.holders(address), [holder], "a successor takes nothing");
    const calm = await probe.stop();
    noneFailed(calm);

    await flap(holder);
    await agentIs(stage, holder, "connected");
    await stage.served("default/web");
    await using after = await startProbe(stage.client, { address, port: 80 });
    await after.waitForAnswer(TAKEOVER_MS_MAX);
  },
);

story(
  "a holder's own address changes: the lane moves, and the host is back with it",
  TWO,
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    await stage.backed();
    const host = stage.lab.host(holder);
    const peer = holder === "lb1" ? "lb2" : "lb1";
    const changed = `10.77.0.4${holder.slice(2)}`;
    const change = async (from: string, to: string): Promise<void> => {
      await ip(host, `address del ${from}/24 dev eth0`);
      // Nobody hears it: whoever kept the address now would be the second one to have it.
      await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);
      assert.deepEqual(stage.recorder.holders(address), [peer]);
      const route = "route replace default via 10.77.0.1 dev eth0 onlink";
      await ip(host, `address add ${to}/24 dev eth0`, route);
      await speaksFrom(stage, host, `unicast_src_ip ${to}`);
      await speaksFrom(stage, stage.lab.host(peer), `${to} min_ttl`);
      await agentIs(stage, holder, "connected");
      await stage.served("default/web");
      assert.deepEqual(stage.recorder.holders(address), [peer], "who comes back takes nothing");
    };
    await change(host.address, changed);
    await change(changed, host.address);
  },
);

story("a holder's device gets another name: it is a successor with it", TWO, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  const host = stage.lab.host(holder);
  await ip(host, "link set eth0 name lan0");
  await speaksFrom(stage, host, "interface lan0");
  const { holder: next } = await stage.served("default/web");
  await canHold(stage, address, next);
});

story("a holder's device goes and comes back: it is a successor again", TWO, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  const host = stage.lab.host(holder);
  await host.removeLink();
  const next = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);
  await agentIs(stage, holder, "disconnected");
  await host.makeLink();
  await agentIs(stage, holder, "connected");
  await stage.inSync();
  assert.deepEqual(stage.recorder.holders(address), [next], "who comes back takes nothing");
  await speaksFrom(stage, host, `unicast_src_ip ${host.address}`);
  await stage.served("default/web");
  await canHold(stage, address, next);
});

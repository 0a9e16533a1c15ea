// Conflicts with the world: hosts on the same network that are none of ours and have what we were
// about to use.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf, program } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { startStrangerRouter } from "./stage/stranger-router.ts";
import { answers } from "./stage/visitor.ts";

const FIRST = "10.77.0.100";
const WISH = "10.77.0.120";

story(
  "a stranger has the first address of the pool and a wished one: one is passed over, one refused",
  {},
  async (stage) => {
    const [stranger] = stage.members;
    assert.ok(stranger !== undefined);
    for (const address of [FIRST, WISH]) {
      await stranger.output("ip", ["address", "add", `${address}/32`, "dev", stranger.link]);
    }
    const mac = (await stranger.output("cat", [`/sys/class/net/${stranger.link}/address`])).trim();

    const [asking] = stage.balancers;
    const asked = await asking?.exec(program("fairlead"), ["check", "address", FIRST], {
      timeoutMs: 30_000,
    });
    assert.equal(asked?.code, 1, asked?.stderr);
    assert.match(asked?.stdout ?? "", new RegExp(`^${mac}, which is none of our hosts`));

    await stage.write("wish.yaml", service({ name: "wish", spec: { loadBalancerIP: WISH } }));
    await stage.write("web.yaml", service({ name: "web" }));
    const refused = await stage.until("the wish is refused", (list) => {
      const claim = claimOf(list, "default/wish");
      return claim?.state === "refused" ? claim : undefined;
    });
    assert.equal(refused.main?.reason, "AddressInUse");
    assert.ok(refused.main.detail.includes(mac), `${refused.main.detail} names ${mac}`);
    const chain = await stage.fairlead("explain", "default/wish");
    assert.match(chain.stdout, /FL0415.*<-- here/);

    const { address } = await stage.served("default/web");
    assert.notEqual(address, FIRST);
    await answers(stage.client, { address, port: 80 });
    for (const taken of [FIRST, WISH]) {
      assert.deepEqual(stage.recorder.holders(taken), [], `nobody of ours ever had ${taken}`);
    }

    await stranger.output("ip", ["address", "del", `${WISH}/32`, "dev", stranger.link]);
    assert.equal((await stage.served("default/wish")).address, WISH, "once the stranger has gone");
    await using probe = await startProbe(stage.client, { address: WISH, port: 80 });
    await probe.waitForAnswer(5_000);
    noneFailed(await probe.stop());
  },
);

story(
  "a keepalived of somebody else uses our router id: it is named, and what we serve stays",
  {},
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const served = await stage.served("default/web");
    const events = stage.recorder.history().length;
    await using _stranger = await startStrangerRouter(stage);
    assert.deepEqual(await stage.served("default/web"), served, "it stays where it is");
    assert.equal(stage.recorder.history().length, events, "no address was taken or given up");
    await answers(stage.client, { address: served.address, port: 80 });
  },
);

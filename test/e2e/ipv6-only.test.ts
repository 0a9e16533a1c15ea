// Hosts without any IPv4: the controller and its agents listen on IPv6 with no flag that says so,
// an address is served to clients by members that have no IPv4 either, and another host takes it
// when its holder dies. Behind the address the hosts' own services answer no more than on any other
// network.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import { knock } from "./stage/knocker.ts";
import { service } from "./stage/manifests.ts";
import { answerAsTheyShould, listenEverywhere } from "./stage/open-host.ts";
import { story } from "./stage/story.ts";
import { answers } from "./stage/visitor.ts";

const TAKEOVER_MS_MAX = 5_000;

story(
  "hosts without IPv4 serve an IPv6 address, and another one takes it when its holder dies",
  {
    isIpv6Only: true,
    pools: ["lan=fd77::100-fd77::110"],
  },
  async (stage) => {
    const services = await Promise.all(stage.balancers.map(listenEverywhere));
    const members = stage.members.map(({ address }) => address);
    await stage.write("web.yaml", service({ name: "web", members }));
    const { address, holder } = await stage.served("default/web");
    await stage.backed();
    assert.equal(address, "fd77::100");
    const byMember = await answers(stage.client, { address, port: 80 });
    assert.deepEqual(Object.keys(byMember), ["member1", "member2"]);
    await answerAsTheyShould(stage, [address], stage.balancers);
    const pages = stage.balancers.map((host) => [host.address, 7714] as const);
    for (const { said } of await knock(stage.client, [stage.control.address, 7704], ...pages)) {
      assert.equal(said, "open");
    }

    await using probe = await startProbe(stage.client, { address, port: 80 });
    const lost = stage.lab.host(holder);
    stage.agent(holder).abandon();
    await lost.crash();
    const successor = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);
    await probe.waitForAnswer(TAKEOVER_MS_MAX);
    const others = stage.balancers.filter((host) => host !== lost);
    await answerAsTheyShould(stage, [address], others);

    await lost.boot();
    await stage.agent(holder).start();
    await stage.inSync();
    assert.equal((await stage.served("default/web")).holder, successor, "nothing is taken back");
    services.push(await listenEverywhere(lost));
    await answerAsTheyShould(stage, [address], stage.balancers);
    await Promise.all(services.map((program) => program.stop()));
  },
);

// Programs of a load-balancer host that die by kill -9: the agent, nginx's master, the whole of
// keepalived. The data plane is not the agent's child, and nothing of the dead is left behind.

import assert from "node:assert/strict";

import { type RunningProgram, startProbe } from "@fairlead/lab";

import { BACK_MS_MAX, daemonsOf, dataPathOf, pidOf, RUN_DIR, untilHost } from "./stage/daemons.ts";
import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { signalAll } from "./stage/signal-all.ts";
import { claimOf } from "./stage/stage.ts";
import { squat } from "./stage/squatter.ts";
import { story } from "./stage/story.ts";

/** A lane leaves a host that cannot serve within this, as its clients see it. */
const LEFT_MS_MAX = 500;

story("the agent is killed and started again: nobody notices", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  const host = stage.lab.host(holder);
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);
  const before = daemonsOf(host);
  assert.ok(before.nginx.length >= 3, "a master and two workers");
  assert.ok(before.keepalived.length >= 2, "keepalived and its VRRP child");

  await stage.agent(holder).kill();
  await stage.until("the agent is missed", ({ agents }) =>
    agents.find(({ name }) => name === holder)?.state === "disconnected" ? true : undefined,
  );
  assert.equal((await stage.served("default/web")).address, address, "its proof is kept meanwhile");
  await stage.agent(holder).start();
  await stage.until("the agent is back", ({ agents }) =>
    agents.find(({ name }) => name === holder)?.state === "connected" ? true : undefined,
  );
  await stage.served("default/web");
  assert.deepEqual(daemonsOf(host), before, "the data plane is adopted, without a reload");
  const seen = await probe.stop();
  noneFailed(seen);
  assert.deepEqual(stage.recorder.holders(address), [holder]);
});

story("nginx's master is killed: its lane leaves at once, and stays away", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  const host = stage.lab.host(holder);
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);

  const master = pidOf(host, "nginx/nginx.pid");
  await signalAll(host, "KILL", [master]);
  const next = await stage.recorder.waitForHolder(address, BACK_MS_MAX, holder);
  await untilHost(host, "another master runs", () => {
    const pid = pidOf(host, "nginx/nginx.pid");
    return pid !== master && daemonsOf(host).nginx.includes(pid);
  });
  await untilHost(host, "it may hold lanes again", () => dataPathOf(host) === "0");
  await stage.until("the new holder is named", (list) =>
    claimOf(list, "default/web")?.addresses[0]?.holder === next ? true : undefined,
  );
  await stage.served("default/web");
  assert.deepEqual(stage.recorder.holders(address), [next], "who is back takes nothing");
  const { nginx } = daemonsOf(host);
  assert.equal(nginx.length, 3, `workers of the dead master are gone: ${nginx.join(" ")}`);
  const seen = await probe.stop();
  const silenceMs = (seen.longestSilence?.lengthMs ?? 0) - seen.longestPauseMs;
  assert.ok(silenceMs < LEFT_MS_MAX, `the client heard nothing for ${silenceMs} ms`);
});

story("nginx is down everywhere: it is said until it is back", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  // Stopped by hand, so that the supervisors do not bring it back.
  const stop = `s6-svc -d ${RUN_DIR}/service/nginx && s6-svwait -D ${RUN_DIR}/service/nginx`;
  await Promise.all(stage.balancers.map((host) => host.output("sh", ["-c", stop])));
  const said = await stage.until("it is said", (list) => {
    const claim = claimOf(list, "default/web");
    const agent = list.agents.find(({ name }) => name === holder);
    const isTold = agent?.remarks.some(({ reason }) => reason === "DataPlaneDown") === true;
    return isTold && claim?.conditions.find(({ type }) => type === "Serving")?.status !== "True"
      ? claim
      : undefined;
  });
  assert.notEqual(said?.state, "refused");
  for (const host of stage.balancers) {
    await host.output("s6-svc", ["-u", `${RUN_DIR}/service/nginx`]);
  }
  await stage.served("default/web");
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(BACK_MS_MAX);
});

story("a port is taken while nginx is down: the others are served again", {}, async (stage) => {
  const ports = [{ name: "ssh", port: 2222, targetPort: 8080 }];
  await stage.write("web.yaml", service({ name: "web" }));
  await stage.write("ssh.yaml", service({ name: "ssh", ports }));
  const web = await stage.served("default/web");
  const ssh = await stage.served("default/ssh");
  const squatters: RunningProgram[] = [];
  for (const host of stage.balancers) {
    await host.output("s6-svc", ["-wD", "-d", `${RUN_DIR}/service/nginx`]);
    squatters.push(await squat(host, 2222));
    await host.output("s6-svc", ["-u", `${RUN_DIR}/service/nginx`]);
  }
  await stage.until(
    "one is served and the other is refused by name",
    (list) => {
      const refused = claimOf(list, "default/ssh")?.main;
      const isServed = claimOf(list, "default/web")?.state === "ready";
      return isServed && refused?.reason === "PortTaken" ? true : undefined;
    },
    30_000,
  );
  await using probe = await startProbe(stage.client, { address: web.address, port: 80 });
  await probe.waitForAnswer(BACK_MS_MAX);

  for (const squatter of squatters) await squatter.stop();
  assert.equal((await stage.served("default/ssh", 30_000)).address, ssh.address);
});

story("all of keepalived is killed: its addresses are not orphaned", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  const host = stage.lab.host(holder);
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);

  const before = daemonsOf(host).keepalived;
  await signalAll(host, "KILL", before);
  const next = await stage.recorder.waitForHolder(address, BACK_MS_MAX, holder);
  await stage.recorder.waitUntil(
    () => stage.recorder.holders(address).join() === next,
    BACK_MS_MAX,
    "the dead keepalived's address is swept",
  );
  await probe.waitForAnswer(BACK_MS_MAX);
  await untilHost(host, "keepalived is back", () => {
    const { keepalived } = daemonsOf(host);
    return keepalived.length >= 2 && !keepalived.some((pid) => before.includes(pid));
  });
  await stage.until("the new holder is named", (list) =>
    claimOf(list, "default/web")?.addresses[0]?.holder === next ? true : undefined,
  );
  await stage.served("default/web");
  assert.deepEqual(stage.recorder.holders(address), [next], "who is back takes nothing");

  // Frozen it would keep the address as well, and the history of holders is judged at the end.
  const frozen = daemonsOf(stage.lab.host(next)).keepalived;
  await signalAll(stage.lab.host(next), "STOP", frozen);
  const third = await stage.recorder.waitForHolder(address, BACK_MS_MAX, next);
  await untilHost(stage.lab.host(next), "the frozen one is ended and another runs", () => {
    const { keepalived } = daemonsOf(stage.lab.host(next));
    return keepalived.length >= 2 && !keepalived.some((pid) => frozen.includes(pid));
  });
  await stage.served("default/web");
  assert.deepEqual(stage.recorder.holders(address), [third]);
});

story(
  "agent and keepalived are killed together: the supervisor alone sweeps",
  {},
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    await stage.backed();
    const host = stage.lab.host(holder);
    await stage.agent(holder).kill();
    const before = daemonsOf(host).keepalived;
    await signalAll(host, "KILL", before);
    const next = await stage.recorder.waitForHolder(address, BACK_MS_MAX, holder);
    await stage.recorder.waitUntil(
      () => stage.recorder.holders(address).join() === next,
      BACK_MS_MAX,
      "the dead keepalived's address is swept",
    );
    await using probe = await startProbe(stage.client, { address, port: 80 });
    await probe.waitForAnswer(BACK_MS_MAX);
    await stage.agent(holder).start();
    await stage.served("default/web");
    assert.deepEqual(stage.recorder.holders(address), [next]);
  },
);

// What people do with Services from day to day: create, change, delete, and members that come and
// go. Nothing fails in these stories, and nobody may notice more than what was asked for.

import assert from "node:assert/strict";

import { monotonicMs, startProbe } from "@fairlead/lab";

import { HTTP, MEMBERS, service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf, program } from "./stage/stage.ts";
import { stay } from "./stage/stayer.ts";
import { story } from "./stage/story.ts";
import { answers, visit } from "./stage/visitor.ts";

const [MEMBER_1 = "", MEMBER_2 = ""] = MEMBERS;
const DRAIN_MS = 3000;
const DRAINS = { "fairlead.io/drain-timeout": `${DRAIN_MS / 1000}s` };

story("a created Service is answered by all its members through its address", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const web = await stage.served("default/web");
  assert.equal(web.address, "10.77.0.100", "the lowest free address of the pool");
  assert.deepEqual(stage.recorder.holders(web.address), [web.holder]);
  const byMember = await answers(stage.client, { address: web.address, port: 80 });
  assert.deepEqual(Object.keys(byMember), ["member1", "member2"]);
  const closed = await visit(stage.client, [`${web.address}:81`]);
  assert.equal(closed[`${web.address}:81`], null, "a port that nobody asked for");
  const status = await stage.control.readFile("/run/host/manifests/.status/default.web.yaml");
  assert.match(status, /ip: "?10\.77\.0\.100"?$/m);
  const table = await stage.fairlead("status");
  assert.equal(table.code, 0, table.stderr);
  assert.match(table.stdout, /default\/web +10\.77\.0\.100 +80\/TCP +lb\d +ready/);
  const chain = await stage.fairlead("explain", "default/web");
  assert.equal(chain.code, 0, chain.stdout);
  assert.doesNotMatch(chain.stdout, /<-- here/);
});

story("a changed Service serves its new ports and protocol", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address } = await stage.served("default/web");

  const admin = { name: "admin", port: 8443, targetPort: 8081 };
  await stage.write("web.yaml", service({ name: "web", ports: [HTTP, admin] }));
  await stage.until("both ports are served", (list) => {
    const claim = claimOf(list, "default/web");
    return claim?.state === "ready" && claim.ports.length === 2 ? true : undefined;
  });
  const both = await visit(stage.client, [`${address}:80`, `${address}:8443`]);
  assert.match(both[`${address}:80`] ?? "", /^member\d 8080 /);
  assert.match(both[`${address}:8443`] ?? "", /^member\d 8081 /);

  const dns = { name: "dns", port: 53, targetPort: 5353, protocol: "UDP" } as const;
  await stage.write("web.yaml", service({ name: "web", ports: [dns] }));
  await stage.until("the UDP port is served", (list) => {
    const claim = claimOf(list, "default/web");
    return claim?.state === "ready" && claim.ports.join(" ") === "53/UDP" ? true : undefined;
  });
  const udp = await answers(stage.client, { address, port: 53, protocol: "udp" });
  assert.equal(Object.keys(udp).length, 1, "one client port is answered by one member");
  const old = await visit(stage.client, [`${address}:80`, `${address}:8443`]);
  assert.deepEqual(Object.values(old), [null, null], "the old ports are closed");
  assert.equal((await stage.served("default/web")).address, address, "the address stays");
});

story("a deleted Service gives its address up, everywhere and only once", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  await stage.write("other.yaml", service({ name: "other" }));
  const web = await stage.served("default/web");
  const other = await stage.served("default/other");
  await using probe = await startProbe(stage.client, { address: other.address, port: 80 });
  await probe.waitForAnswer(5_000);
  const told = stage.controller.lines().length;

  await stage.remove("web.yaml");
  const quarantined = await stage.until("the address is quarantined", (list) => {
    const row = list.addresses.find(({ address }) => address === web.address);
    return row?.state === "quarantined" ? row : undefined;
  });
  assert.deepEqual(quarantined.waitingFor, []);
  assert.deepEqual(
    await stage.recorder.heldNow(web.address),
    [],
    "released only when nobody has it",
  );
  await stage.inSync();
  for (const host of stage.balancers) {
    for (const file of ["keepalived/keepalived.conf", "nginx/nginx.conf"]) {
      const text = await host.readFile(`/run/fairlead/${file}`);
      assert.ok(!text.includes(`${web.address}:`), `${file} on ${host.name}`);
      assert.ok(!text.includes(`${web.address}/`), `${file} on ${host.name}`);
    }
  }
  assert.deepEqual(await visit(stage.client, [`${web.address}:80`]), {
    [`${web.address}:80`]: null,
  });
  const gone = await stage.fairlead("explain", "default/web");
  assert.equal(gone.code, 4, "not found");

  // Created again while its address is in quarantine, it gets that back; another would not.
  await stage.write("third.yaml", service({ name: "third" }));
  assert.equal((await stage.served("default/third")).address, "10.77.0.102");
  await stage.write("web.yaml", service({ name: "web" }));
  assert.equal((await stage.served("default/web")).address, web.address);

  const seen = await probe.stop();
  noneFailed(seen, "a client of another Service");
  const verdicts = stage.controller.lines().slice(told);
  assert.deepEqual(
    verdicts.filter((line) => line.includes(" claim=default/other ")),
    [],
    "nor was anything said of them",
  );
});

story("members come and go without a failed connection", {}, async (stage) => {
  const withMembers = (members: readonly string[]): Promise<void> =>
    stage.write("web.yaml", service({ name: "web", members, annotations: DRAINS }));
  const servedByMembers = (count: number): Promise<true> =>
    stage.until(`${count} members are served by every agent`, (list) => {
      const claim = claimOf(list, "default/web");
      const isDone = list.agents.every(({ sync }) => sync === "in-sync");
      return claim?.members === count && claim.state === "ready" && isDone ? true : undefined;
    });
  await withMembers([MEMBER_1]);
  const { address, holder } = await stage.served("default/web");
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);

  await withMembers([MEMBER_1, MEMBER_2]);
  await servedByMembers(2);
  assert.deepEqual(Object.keys(await answers(stage.client, { address, port: 80 })), [
    "member1",
    "member2",
  ]);
  await using stayers = await stay(stage.client, { address, port: 80, count: 12 });
  const [opened, stays] = [stayers.open(), stayers.open().filter((member) => member === "member2")];
  assert.ok(stays.length > 0 && stays.length < opened.length, `connected to ${opened.join()}`);
  const asked = ["agents", "members", "default/web", "--no-headers"];
  const withTime = { timeoutMs: 30_000 };
  const table = await stage.lab.host(holder).output(program("fairlead"), asked, withTime);
  for (const member of [MEMBER_1, MEMBER_2]) {
    const line = `${address}:80/TCP +default/web +198.18.1.[0-9]+ +${member}:8080 +12/24 +active +`;
    assert.match(table, new RegExp(`^${line}[1-9]`, "m"));
  }
  const removedMs = monotonicMs();
  await withMembers([MEMBER_2]);
  await servedByMembers(1);
  assert.deepEqual(Object.keys(await answers(stage.client, { address, port: 80 })), ["member2"]);
  // What is connected to the removed member ends after the drain time, and nothing else does.
  await stage.until("connections to the removed member are ended", () => {
    return stayers.ended().length === opened.length - stays.length ? true : undefined;
  });
  assert.deepEqual(stayers.open(), stays);
  const keptMs = stayers.firstEndMs() - removedMs;
  assert.ok(keptMs >= DRAIN_MS, `the first one ended after ${Math.round(keptMs)} ms`);
  const seen = await probe.stop();
  noneFailed(seen);

  // None left: connections are refused at once, the Service stays served and says why.
  await withMembers([]);
  const claim = await stage.until("it says that there are no members", (list) => {
    const found = claimOf(list, "default/web");
    return found?.main?.reason === "NoMembers" ? found : undefined;
  });
  assert.equal(claim.state, "ready");
  const condition = claim.conditions.find(({ type }) => type === "MembersReady");
  assert.equal(condition?.status, "False");
  await stage.inSync();
  assert.deepEqual(await visit(stage.client, [`${address}:80`]), { [`${address}:80`]: null });
});

// The lab's own programs on real hosts: members answer, the client measures a silence, and the
// recorder tells who holds an address from the kernel's own words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { recordHolders } from "./holder-recorder.ts";
import type { Host } from "./host.ts";
import { createLab, type Lab } from "./lab.ts";
import { startMember } from "./member-server.ts";
import { type Probe, startProbe } from "./probe-client.ts";

const VIP = "192.0.2.50";
const WAIT_MS = 5_000;

test("a member says who it is, on which port, and to whom", async () => {
  await using lab = await createLab();
  const [member, client] = await addMemberAndClient(lab);
  await startMember(member, { tcpPorts: [8080, 8081], udpPorts: [5353] });
  const asked = await client.output("curl", ["-s", `http://${member.address}:8081/`]);
  assert.equal(asked, `member-1 8081 ${client.address}\n`);
  for (const protocol of ["tcp", "udp"] as const) {
    const port = protocol === "tcp" ? 8080 : 5353;
    await using probe = await startProbe(client, { address: member.address, port, protocol });
    assert.equal((await probe.waitForAnswer(WAIT_MS)).member, "member-1");
    const over6 = await startProbe(client, { address: member.ipv6 ?? "", port, protocol });
    assert.equal((await over6.waitForAnswer(WAIT_MS)).member, "member-1");
    assert.ok(((await over6.stop()).byMember.get("member-1") ?? 0) > 0);
  }
});

test("the client tells how long the link was cut, and who answered", async () => {
  await using lab = await createLab();
  const [member, client] = await addMemberAndClient(lab);
  await startMember(member, { tcpPorts: [8080], udpPorts: [5353] });
  const probing = { address: member.address };
  await using tcp = await startProbe(client, { ...probing, port: 8080 });
  await using udp = await startProbe(client, { ...probing, port: 5353, protocol: "udp" });
  await Promise.all([tcp.waitForAnswer(WAIT_MS), udp.waitForAnswer(WAIT_MS)]);
  await member.isolate();
  // A try is given up after so long that no pause of a busy machine is taken for a cut.
  const hasFailed = (probe: Probe): boolean =>
    probe.tries().some((one) => one.member === undefined);
  while (![tcp, udp].every(hasFailed)) {
    await client.exec("ping", ["-n", "-c", "1", "-W", "0.2", member.address]);
  }
  await member.rejoin();
  await Promise.all([tcp.waitForAnswer(WAIT_MS), udp.waitForAnswer(WAIT_MS)]);
  const [cut] = lab.partitions();
  assert.ok(cut?.toMs !== undefined);
  for (const probe of [tcp, udp]) {
    const seen = await probe.stop();
    const silence = seen.longestSilence;
    assert.ok(silence !== undefined && seen.failed > 0);
    // A try waited 900 ms within the cut; an answer from before it may have been read late.
    const knownMs = silence.lengthMs + seen.longestPauseMs;
    assert.ok(knownMs > 880, `a silence of ${silence.lengthMs} ms`);
    assert.ok(silence.fromMs < cut.toMs && silence.toMs > cut.fromMs, "the silence is the cut");
    assert.deepEqual([...seen.byMember.keys()], ["member-1"]);
  }
});

test("the record, asked who holds an address now, has heard what was done before", async () => {
  await using lab = await createLab();
  const [a, b] = await addMemberAndClient(lab);
  await using record = await recordHolders([a, b]);
  for (let round = 0; round < 5; round += 1) {
    await a.output("ip", ["address", "add", `${VIP}/32`, "dev", a.link]);
    assert.deepEqual(await record.heldNow(VIP), [a.name]);
    await a.output("ip", ["address", "delete", `${VIP}/32`, "dev", a.link]);
    assert.deepEqual(await record.heldNow(VIP), []);
  }
  await b.crash();
  assert.deepEqual(await record.heldNow(VIP), [], "and needs no host that is down");
});

test("the record tells who held an address, over changes, crashes and boots", async () => {
  await using lab = await createLab();
  const [a, b] = await addMemberAndClient(lab);
  await using record = await recordHolders([a, b]);
  assert.deepEqual(record.holders(a.address), [a.name]);

  await a.output("ip", ["address", "add", `${VIP}/32`, "dev", a.link]);
  assert.equal(await record.waitForHolder(VIP, WAIT_MS), a.name);
  await b.output("ip", ["address", "add", `${VIP}/32`, "dev", b.link]);
  await record.waitUntil(() => record.holders(VIP).length === 2, WAIT_MS, "two holders");
  assert.equal(await record.waitForHolder(VIP, WAIT_MS, a.name), b.name);
  await a.output("ip", ["address", "delete", `${VIP}/32`, "dev", a.link]);
  assert.equal(await record.waitForHolder(VIP, WAIT_MS), b.name);

  await b.crash();
  await record.waitUntil(() => record.holders(VIP).length === 0, WAIT_MS, "no holder");
  await b.boot();
  await b.output("ip", ["address", "add", "2001:db8::50/128", "dev", b.link]);
  assert.equal(await record.waitForHolder("2001:db8::50", WAIT_MS), b.name);

  const told = record.history().filter((one) => one.address === VIP);
  const words = told.map((one) => `${one.host} ${one.event}`);
  assert.deepEqual(words, ["member-1 added", "client added", "member-1 removed", "client removed"]);
  const times = record.history().map((one) => one.atMs);
  assert.deepEqual(
    times,
    times.toSorted((x, y) => x - y),
  );
});

async function addMemberAndClient(lab: Lab): Promise<readonly [Host, Host]> {
  return Promise.all([
    lab.addHost("member-1", { address: "192.0.2.31/24", ipv6: "2001:db8::31/64" }),
    lab.addHost("client", { address: "192.0.2.9/24", ipv6: "2001:db8::9/64" }),
  ]);
}

// Hosts with a service that listens on every address of them, as sshd does, and what a client finds
// on VIPs and on the hosts' own addresses. Given the stage; what it finds wrong is a failure.

import assert from "node:assert/strict";

import type { Host, RunningProgram } from "@fairlead/lab";

import { knock } from "./knocker.ts";
import type { Stage } from "./stage.ts";
import { visit } from "./visitor.ts";

/** The port of the service. */
export const SSH = 22;
/** A reset is there within a round trip; the machine may be busy. */
const REFUSED_MS_MAX = 500;

/** A service of the host that answers on every address of it. */
export async function listenEverywhere(host: Host): Promise<RunningProgram> {
  const listen = `Listen => 9, LocalAddr => "::", LocalPort => ${SSH}, ReuseAddr => 1, V6Only => 0`;
  // Whoever is let in is let go at once: no number of them fills the queue.
  const text = `$| = 1; my $s = IO::Socket::IP->new(${listen}) or die; print "listens\\n";
    my $all = IO::Select->new($s, \\*STDIN);
    for (;;) { for ($all->can_read) { exit if $_ != $s; $s->accept } }`;
  const program = await host.start("perl", ["-MIO::Socket::IP", "-MIO::Select", "-e", text]);
  await program.waitForLine(/^listens$/, 10_000);
  return program;
}

/** VIPs have port 80 and pings alone, and the hosts answer on their own addresses. */
export async function answerAsTheyShould(
  stage: Stage,
  vips: readonly string[],
  hosts: readonly Host[],
): Promise<void> {
  const { client } = stage;
  const seen = await visit(
    client,
    vips.map((vip) => endpoint(vip, 80)),
  );
  for (const vip of vips) {
    assert.match(seen[endpoint(vip, 80)] ?? "", /^member\d 8080 /);
    await client.output("ping", ["-n", "-c", "1", "-W", "2", vip]);
  }
  for (const { said, tookMs } of await knock(client, ...vips.map((vip) => [vip, SSH] as const))) {
    assert.equal(said, "ECONNREFUSED");
    assert.ok(tookMs < REFUSED_MS_MAX, `refused after ${Math.round(tookMs)} ms`);
  }
  const own = hosts.flatMap(({ address, ipv6 }) =>
    ipv6 === undefined ? [address] : [address, ipv6],
  );
  const knocks = await knock(client, ...own.map((address) => [address, SSH] as const));
  assert.deepEqual(
    knocks.map(({ said }) => said),
    own.map(() => "open"),
    "the hosts' own addresses answer",
  );
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

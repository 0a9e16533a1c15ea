// One host of a lab with a client and two members, `fairlead run` on it, and what its device shows.
// Given where hosts have their addresses, and what the run is told.

import assert from "node:assert/strict";

import {
  type Host,
  type HostOptions,
  type Lab,
  monotonicMs,
  type RunningProgram,
  startMember,
} from "@fairlead/lab";

import { program } from "./stage.ts";

/** Where its Services come from. */
export const FOLDER = "/run/host/manifests";

const START_MS_MAX = 20_000;
const WAIT_MS_MAX = 20_000;

/** Makes the hosts, whose addresses end in 11, 31, 21 and 22; members listen at 8080/TCP. */
export async function makeOneHost(
  lab: Lab,
  addressesOf: (last: number) => HostOptions,
): Promise<{ readonly host: Host; readonly client: Host }> {
  const add = (name: string, last: number): Promise<Host> => lab.addHost(name, addressesOf(last));
  const [host, client, ...members] = await Promise.all([
    add("lb1", 11),
    add("client", 31),
    add("member1", 21),
    add("member2", 22),
  ]);
  await Promise.all(members.map((member) => startMember(member, { tcpPorts: [8080] })));
  await host.output("mount", ["-t", "tmpfs", "tmpfs", "/var/lib"]);
  return { host, client };
}

/** Starts it and waits until it serves. @param source where its Services come from, as a flag. */
export async function startRun(
  host: Host,
  flags: readonly string[],
  source = `--source=${FOLDER}`,
): Promise<RunningProgram> {
  const running = await host.start(program("fairlead"), ["run", source, ...flags]);
  await running.waitForLine(/ serving /, START_MS_MAX);
  return running;
}

/** Looks until exactly this is shown, in this order. */
export async function untilShown(
  look: () => Promise<readonly string[]>,
  wanted: readonly string[],
): Promise<void> {
  const endMs = monotonicMs() + WAIT_MS_MAX;
  for (;;) {
    const now = await look();
    if (now.join() === wanted.join()) return;
    assert.ok(monotonicMs() < endMs, `${now.join()} instead of ${wanted.join()}`);
  }
}

// Workers of nginx that serve nobody while their master lives: they die again and again, have no
// file left, or just one, which takes a client in and leaves none for its member. The lane leaves
// at once, for a host that serves, and stays there.

import assert from "node:assert/strict";

import { type Host, startProbe } from "@fairlead/lab";

import { BACK_MS_MAX, dataPathOf, pidOf, RUN_DIR, untilHost } from "./stage/daemons.ts";
import { service } from "./stage/manifests.ts";
import { remarkedOf } from "./stage/remarked.ts";
import { claimOf } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

/** A lane leaves a host that cannot serve within this, as its clients see it. */
const LEFT_MS_MAX = 500;

/** What is wrong with the workers of a host, until it is mended by the returned function. */
interface Trouble {
  readonly name: string;
  readonly begin: (host: Host) => Promise<() => Promise<void>>;
}

const TROUBLES: readonly Trouble[] = [
  { name: "they die again and again", begin: killWorkers },
  { name: "they have no file left", begin: takeFiles },
  { name: "they have a file for a client, and none for its member", begin: leaveOneFile },
];

story(
  "nginx's workers serve nobody: the lane leaves at once, and stays away",
  {},
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    for (const { name, begin } of TROUBLES) {
      const { address, holder } = await stage.served("default/web");
      await stage.backed();
      const host = stage.lab.host(holder);
      const master = pidOf(host, "nginx/nginx.pid");
      await using probe = await startProbe(stage.client, { address, port: 80 });
      await probe.waitForAnswer(5_000);
      const before = stage.recorder.history().length;

      const mend = await begin(host);
      const next = await stage.recorder.waitForHolder(address, BACK_MS_MAX, holder);
      await remarkedOf(stage, { agent: holder, reason: "DataPlaneDown" });
      assert.equal(pidOf(host, "nginx/nginx.pid"), master, `${name}: and their master lives`);
      await mend();
      await untilHost(host, `${name}: it may hold lanes again`, () => dataPathOf(host) === "0");
      await stage.until(`${name}: nothing is wrong any more`, (list) => {
        const remarks = list.agents.find((agent) => agent.name === holder)?.remarks;
        const isNamed = claimOf(list, "default/web")?.addresses[0]?.holder === next;
        return remarks?.length === 0 && isNamed ? true : undefined;
      });
      assert.deepEqual(await stage.served("default/web"), { address, holder: next });

      const seen = await probe.stop();
      const silenceMs = (seen.longestSilence?.lengthMs ?? 0) - seen.longestPauseMs;
      assert.ok(silenceMs < LEFT_MS_MAX, `${name}: the client heard nothing for ${silenceMs} ms`);
      const moves = stage.recorder.history().slice(before);
      const told = moves.filter((one) => one.address === address);
      // Two hosts are listened to, so which of the two is told first says nothing.
      assert.deepEqual(
        told.map((one) => `${one.event} ${one.host}`).toSorted(),
        [`added ${next}`, `removed ${holder}`],
        `${name}: who is back takes nothing, and nobody else does`,
      );
    }
  },
);

/** Each lives for some ms, in which it answers a question or two. It ends by itself after all. */
const KILLER = `
alarm 20;
sub word { open(my $file, "<", $_[0]) or return ""; return scalar(<$file>) // "" }
while (1) {
  my ($master) = word("${RUN_DIR}/nginx/nginx.pid") =~ /([0-9]+)/;
  kill("KILL", split(" ", word("/proc/$master/task/$master/children"))) if $master;
  select(undef, undef, undef, 0.005);
}
`;

async function killWorkers(host: Host): Promise<() => Promise<void>> {
  const killer = await host.start("perl", ["-e", KILLER]);
  return async () => void (await killer.stop());
}

/** By the workers' own user: root of a container may not bound what others open. */
const BOUND_FILES = `
bound() {
  setpriv --reuid="$(stat -c %u /proc/$1)" --regid="$(stat -c %g /proc/$1)" --clear-groups \\
    prlimit --pid "$1" --nofile="$2"
}
`;

const TAKE_FILES = `${BOUND_FILES}
for pid in $(cat /proc/$1/task/$1/children); do bound "$pid" 1; done
`;

/** The least number that is free at one of many looks: clients come and go meanwhile. */
const LEAVE_ONE_FILE = `${BOUND_FILES}
for pid in $(cat /proc/$1/task/$1/children); do
  least=100000
  for look in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    free=0
    while [ -e /proc/$pid/fd/$free ] || [ -L /proc/$pid/fd/$free ]; do free=$((free + 1)); done
    [ "$free" -lt "$least" ] && least=$free
  done
  bound "$pid" $((least + 1))
done
`;

/** They never get any again; who comes in their place has as many as ever. */
async function takeFiles(host: Host): Promise<() => Promise<void>> {
  await boundFiles(host, TAKE_FILES);
  return () => Promise.resolve();
}

/** Each has room for one file: a client is taken in, and nobody can be asked for it. */
async function leaveOneFile(host: Host): Promise<() => Promise<void>> {
  await boundFiles(host, LEAVE_ONE_FILE);
  return () => Promise.resolve();
}

async function boundFiles(host: Host, script: string): Promise<void> {
  const master = String(pidOf(host, "nginx/nginx.pid"));
  await host.output("sh", ["-euc", script, "sh", master]);
}

// From a changed file to SERVING on the holder and both successors, with 100 Services; against bare
// `nginx -t` plus reload of the same file, on three hosts at once as here, that do nothing else.
// And what idle time costs: nothing.

import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { Host } from "@fairlead/lab";

import { type Document, manifest, service } from "../e2e/stage/manifests.ts";
import { createStage, MANIFESTS, type Stage } from "../e2e/stage/stage.ts";
import { type Figure, quantile } from "./goal.ts";
import { readReloads, readStoreWrites } from "./readings.ts";
import { bareReloads } from "./reload-floor.ts";

const SERVICES = 100;
const CHANGES = 12;
const RELOADS = 12;
/** Samples stand this far apart, so that none waits for the reload of the one before. */
const APART_MS = 1500;
const IDLE_MS = 20_000;

/** Measures; takes about a minute and a half. */
export async function benchMemberChange(tell: (line: string) => void): Promise<readonly Figure[]> {
  await using stage = await createStage({ pools: ["lan=10.77.0.100-10.77.0.230"] });
  const rest = Array.from({ length: SERVICES - 1 }, (_, index) => web(index + 1));
  await stage.write("all.yaml", rest.flat());
  await stage.write("changed.yaml", web(0));
  await stage.until(
    "all are served",
    (list) =>
      list.claims.length === SERVICES && list.claims.every((row) => row.state === "ready")
        ? true
        : undefined,
    60_000,
  );
  tell(`  ${SERVICES} Services are served`);
  const idle = await idleCost(stage);
  tell(`  an idle time of ${IDLE_MS / 1000} s is over`);
  const floor = await bareReloads(stage, { rounds: RELOADS });
  tell(`  bare tests and reloads, p50: ${quantile(floor, 0.5).toFixed(0)} ms`);
  const changes: number[] = [];
  await using watch = await startWatch(stage.control);
  for (let round = 0; round < CHANGES; round += 1) {
    await wait(APART_MS);
    changes.push(await changeOnce(stage, watch, round));
    tell(`  change ${round + 1} of ${CHANGES}: ${changes.at(-1)?.toFixed(0)} ms`);
  }
  const floorMs = quantile(floor, 0.5);
  return [
    { what: "bare nginx -t and reload on all three, p50", value: floorMs, unit: "ms" },
    {
      what: "member change to SERVING on all three, p50",
      value: quantile(changes, 0.5),
      unit: "ms",
      floor: floorMs,
      goal: Math.round(2 * floorMs),
    },
    { what: "member change, worst", value: quantile(changes, 1), unit: "ms", floor: floorMs },
    { what: "idle, 100 Services: reloads", value: idle.reloads, unit: "reloads", goal: 0 },
    { what: "idle, 100 Services: store writes", value: idle.writes, unit: "writes", goal: 0 },
  ];
}

function web(index: number, members?: readonly string[]): readonly Document[] {
  return service({ name: `web-${index}`, ...(members === undefined ? {} : { members }) });
}

/** What the agents want and how many of them prove it, from a time on. */
interface Seen {
  readonly atMs: number;
  readonly wanted: string;
  readonly synced: number;
}

interface Watch extends AsyncDisposable {
  /** Writes a file on the control host; the time when it was there. */
  write(path: string, text: string): Promise<number>;
  /** Waits for the first moment that `look` accepts. */
  until(look: (seen: Seen) => boolean): Promise<Seen>;
}

async function startWatch(host: Host): Promise<Watch> {
  let last: Seen | undefined;
  const waiting = new Set<(seen: Seen) => void>();
  const onLine = (line: string): void => {
    const [word, at, wanted = "", synced] = line.split(" ");
    if (word !== "at") return;
    last = { atMs: Number(at), wanted, synced: Number(synced) };
    for (const tell of waiting) tell(last);
  };
  const script = fileURLToPath(new URL("./agents-watch.ts", import.meta.url));
  const program = await host.start(process.execPath, [script], { onLine });
  await program.waitForLine(/^ready$/, 10_000);
  return {
    write: async (path, text) => {
      const before = program.lines().length;
      program.write(`${JSON.stringify({ path, text })}\n`);
      for (;;) {
        const wrote = program
          .lines()
          .slice(before)
          .find((line) => line.startsWith("wrote "));
        if (wrote !== undefined) return Number(wrote.slice("wrote ".length));
        await wait(1);
      }
    },
    until: async (look) => {
      const { promise, resolve, reject } = Promise.withResolvers<Seen>();
      const tell = (seen: Seen): void => {
        if (look(seen)) resolve(seen);
      };
      waiting.add(tell);
      const late = setTimeout(() => reject(new Error("a change was not served in 10 s")), 10_000);
      if (last !== undefined) tell(last);
      return await promise.finally(() => {
        clearTimeout(late);
        waiting.delete(tell);
      });
    },
    [Symbol.asyncDispose]: async () => void (await program.stop()),
  };
}

/** Gives Service 0 other members; until every agent proves to serve them. */
async function changeOnce(stage: Stage, watch: Watch, round: number): Promise<number> {
  const before = await watch.until((seen) => seen.synced === stage.balancers.length);
  const members = round % 2 === 0 ? ["10.77.0.21"] : ["10.77.0.21", "10.77.0.22"];
  const begunMs = await watch.write(`${MANIFESTS}/changed.yaml`, manifest(web(0, members)));
  const served = await watch.until(
    ({ wanted, synced }) => wanted !== before.wanted && synced === stage.balancers.length,
  );
  return served.atMs - begunMs;
}

async function idleCost(stage: Stage): Promise<{ readonly reloads: number; writes: number }> {
  await wait(APART_MS);
  const before = await counters(stage);
  await wait(IDLE_MS);
  const after = await counters(stage);
  return { reloads: after.reloads - before.reloads, writes: after.writes - before.writes };
}

async function counters(stage: Stage): Promise<{ readonly reloads: number; writes: number }> {
  const reloads = await readReloads(stage);
  return {
    reloads: reloads.reduce((sum, one) => sum + one, 0),
    writes: await readStoreWrites(stage),
  };
}

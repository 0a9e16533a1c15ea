// Connections through reloads: many short ones a second while listeners change a hundred times,
// beside the same without a reload; and how many reloads a thousand changes in ten seconds are.

import { setTimeout as wait } from "node:timers/promises";

import { type ProbeResult, startProbe } from "@fairlead/lab";

import { HTTP, manifest, service } from "../e2e/stage/manifests.ts";
import { claimOf, createStage, MANIFESTS, type Stage } from "../e2e/stage/stage.ts";
import { roundsOf } from "./counts.ts";
import { type Figure, quantile } from "./goal.ts";
import { AGENT_PORT, readMetric, readReloads } from "./readings.ts";

const RELOADS = 100;
/** Two clients with a connection each ms: 2 000 a second, where the machine can. */
const CLIENTS = 2;
const EVERY_MS = 1;
/** With fewer a second it is no longer seen what a reload does to many. */
const PER_SECOND_MIN = 500;
const TIMEOUT_MS = 5000;
const QUIET_MS = 10_000;
const CHANGES = 1000;
const TEMPLATE = "/run/host/other.yaml";
/** A change each 10 ms or so. */
const CHANGING = `
for port in $(seq 10001 ${10_000 + CHANGES}); do
  sed "s/port: 10000/port: $port/" ${TEMPLATE} >${MANIFESTS}/.next
  mv ${MANIFESTS}/.next ${MANIFESTS}/other.yaml
  sleep 0.005
done`;

/** Measures; takes about four minutes. */
export async function benchReloads(tell: (line: string) => void): Promise<readonly Figure[]> {
  await using stage = await createStage();
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await openPort(stage, HTTP, 8000);
  // Who is to succeed the holder of a new lane gets its listeners a while later.
  await stage.backed();
  const quiet = await connectDuring(stage, address, () => wait(QUIET_MS));
  tell(`  without a reload: ${quiet.tookMs.length} connections`);
  const page = { host: stage.lab.host(holder), port: AGENT_PORT };
  const before = await readMetric(page, "fairlead_proxy_reloads_total");
  const reloads = roundsOf(RELOADS);
  const loaded = await connectDuring(stage, address, async () => {
    for (let round = 1; round <= reloads; round += 1) {
      await openPort(stage, HTTP, 8000 + round);
      if (round % 10 === 0) tell(`  change ${round} of ${reloads}`);
    }
  });
  const made = (await readMetric(page, "fairlead_proxy_reloads_total")) - before;
  const memory = await readMetric(page, "fairlead_proxy_generations_bytes");
  const burst = await changeFast(stage, tell);
  return reloadFigures({ quiet, loaded, changes: reloads, made, memory, burst });
}

/** What was measured. */
export interface ReloadsMeasured {
  readonly quiet: Connections;
  readonly loaded: Connections;
  /** Changes of listeners while the clients of `loaded` connected, and reloads by them. */
  readonly changes: number;
  readonly made: number;
  /** Bytes of the holder's generations after that. */
  readonly memory: number;
  readonly burst: { readonly seconds: number; readonly reloads: number };
}

/** None of the failures that are counted says a thing where nobody connected or reloaded. */
export function reloadFigures(measured: ReloadsMeasured): readonly Figure[] {
  const { quiet, loaded, changes, made, memory, burst } = measured;
  const rate = { unit: "1/s", least: PER_SECOND_MIN };
  return [
    { what: "connections a second, without a reload", value: quiet.perSecond, ...rate },
    { what: "connections a second, with reloads", value: loaded.perSecond, ...rate },
    { what: "reloads of the holder meanwhile", value: made, unit: "reloads", least: changes },
    { what: "failed connections without a reload", value: quiet.failed, unit: "failed", goal: 0 },
    { what: "failed connections with reloads", value: loaded.failed, unit: "failed", goal: 0 },
    ...[0.5, 0.99, 0.999, 1].map((share) => ({
      what: `a connection through reloads, p${share * 100}`,
      value: quantile(loaded.tookMs, share),
      unit: "ms",
      floor: quantile(quiet.tookMs, share),
    })),
    { what: "memory of the holder's generations", value: memory / 1_000_000, unit: "MB" },
    { what: `${CHANGES} listener changes in a row`, value: burst.seconds, unit: "s" },
    {
      what: "their reloads of one nginx: one a second",
      value: burst.reloads,
      unit: "reloads",
      goal: Math.ceil(burst.seconds) + 2,
    },
  ];
}

/** What clients saw. */
export interface Connections {
  readonly perSecond: number;
  readonly failed: number;
  readonly tookMs: readonly number[];
}

async function connectDuring(
  stage: Stage,
  address: string,
  run: () => Promise<unknown>,
): Promise<Connections> {
  const pace = { everyMs: EVERY_MS, timeoutMs: TIMEOUT_MS, durationMs: 600_000 };
  await using stack = new AsyncDisposableStack();
  const probes = await Promise.all(
    Array.from({ length: CLIENTS }, async () =>
      stack.use(await startProbe(stage.client, { address, port: 80, ...pace })),
    ),
  );
  await Promise.all(probes.map((probe) => probe.waitForAnswer(5000)));
  const begunMs = performance.now();
  await run();
  const seconds = (performance.now() - begunMs) / 1000;
  const results: readonly ProbeResult[] = await Promise.all(probes.map((probe) => probe.stop()));
  const answered = results.flatMap(({ allTries }) =>
    allTries.filter(({ member }) => member !== undefined).map(({ tookMs }) => tookMs),
  );
  return {
    perSecond: answered.length / seconds,
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
    tookMs: answered,
  };
}

/** Opens another port of another Service until every agent has it. @param http its first one. */
export async function openPort(stage: Stage, http: typeof HTTP, port: number): Promise<void> {
  const more = { name: "more", port, targetPort: http.targetPort };
  await stage.write("other.yaml", service({ name: "other", ports: [http, more] }));
  await stage.until(`port ${port} is served`, (list) => {
    const claim = claimOf(list, "default/other");
    const isServed = claim?.ports.includes(`${port}/TCP`) === true;
    return isServed && claim?.state === "ready" ? true : undefined;
  });
  await stage.inSync();
}

/** On the control host itself: a call from here for each would be too slow. */
async function changeFast(
  stage: Stage,
  tell: (line: string) => void,
): Promise<{ readonly seconds: number; readonly reloads: number }> {
  const more = { name: "more", port: 10_000, targetPort: 8081 };
  const text = manifest(service({ name: "other", ports: [HTTP, more] }));
  await stage.control.writeFile(TEMPLATE, text);
  const before = await reloadsOf(stage);
  const begunMs = performance.now();
  await stage.control.exec("sh", ["-c", CHANGING], { timeoutMs: 120_000 });
  const seconds = (performance.now() - begunMs) / 1000;
  await stage.inSync();
  tell(`  ${CHANGES} changes of listeners in ${seconds.toFixed(0)} s`);
  return { seconds, reloads: (await reloadsOf(stage)) - before };
}

/** The most that one nginx made. */
async function reloadsOf(stage: Stage): Promise<number> {
  return Math.max(...(await readReloads(stage)));
}

// From a changed file to SERVING on the holder and both successors, with 100 Services; against a
// bare `nginx -t` plus reload of the same file on a host that does nothing else. And what an idle
// minute costs: nothing.

import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { Host } from "@fairlead/lab";
import { monotonicMs } from "@fairlead/lab";

import { type Document, service } from "../e2e/stage/manifests.ts";
import { createStage, type Stage } from "../e2e/stage/stage.ts";
import { type Figure, quantile } from "./goal.ts";

const SERVICES = 100;
const CHANGES = 12;
const RELOADS = 12;
/** Samples stand this far apart, so that none waits for the reload of the one before. */
const APART_MS = 1500;
const IDLE_MS = 20_000;
const NGINX_CONF = "/run/fairlead/nginx/nginx.conf";

/** Measures; takes about a minute and a half. */
export async function benchMemberChange(tell: (line: string) => void): Promise<readonly Figure[]> {
  await using stage = await createStage({ pools: ["lan=10.77.0.100-10.77.0.230"] });
  await stage.write("all.yaml", Array.from({ length: SERVICES }, (_, index) => web(index)).flat());
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
  const floor = await bareReloads(stage);
  tell(`  bare test and reload, p50: ${quantile(floor, 0.5).toFixed(0)} ms`);
  const changes: number[] = [];
  for (let round = 0; round < CHANGES; round += 1) {
    await wait(APART_MS);
    changes.push(await changeOnce(stage, round));
    tell(`  change ${round + 1} of ${CHANGES}: ${changes.at(-1)?.toFixed(0)} ms`);
  }
  const floorMs = quantile(floor, 0.5);
  return [
    { what: "bare nginx -t and reload, p50", value: floorMs, unit: "ms" },
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

/** Gives Service 0, in a file of its own, other members; until every agent proves to serve them. */
async function changeOnce(stage: Stage, round: number): Promise<number> {
  const members = round % 2 === 0 ? ["10.77.0.21"] : ["10.77.0.21", "10.77.0.22"];
  const before = (await stage.asker.list()).agents.map((row) => row.wantedRevision).join();
  const rest = Array.from({ length: SERVICES - 1 }, (_, index) => web(index + 1)).flat();
  const begunMs = monotonicMs();
  await stage.write("all.yaml", [...web(0, members), ...rest]);
  for (;;) {
    const { agents } = await stage.asker.list();
    const isNew = agents.map((row) => row.wantedRevision).join() !== before;
    if (isNew && agents.every((row) => row.sync === "in-sync")) return monotonicMs() - begunMs;
    if (monotonicMs() - begunMs > 10_000) throw new Error("a change was not served in 10 s");
    await wait(2);
  }
}

/** Times a bare test and reload of the same file on the client, which has no agent. */
async function bareReloads(stage: Stage): Promise<readonly number[]> {
  const [lb] = stage.balancers;
  if (lb === undefined) throw new Error("the stage has a load balancer");
  const host: Host = stage.client;
  const text = await lb.readFile(NGINX_CONF);
  await host.writeFile(NGINX_CONF, text);
  const script = fileURLToPath(new URL("./bare-reload.ts", import.meta.url));
  const output = await host.output(process.execPath, [script, NGINX_CONF, String(RELOADS)], {
    timeoutMs: 60_000,
  });
  return output.trim().split("\n").map(Number);
}

async function idleCost(stage: Stage): Promise<{ readonly reloads: number; writes: number }> {
  await wait(APART_MS);
  const before = await counters(stage);
  await wait(IDLE_MS);
  const after = await counters(stage);
  return { reloads: after.reloads - before.reloads, writes: after.writes - before.writes };
}

async function counters(stage: Stage): Promise<{ readonly reloads: number; writes: number }> {
  let reloads = 0;
  for (const host of stage.balancers) {
    reloads += await counter(host, 7714, "fairlead_proxy_reloads_total");
  }
  return { reloads, writes: await counter(stage.control, 7704, "fairlead_store_writes_total") };
}

async function counter(host: Host, port: number, name: string): Promise<number> {
  const page = await host.output("curl", ["-s", `http://127.0.0.1:${port}/metrics`]);
  const value = new RegExp(`^${name} (\\d+)$`, "m").exec(page)?.[1];
  if (value === undefined) throw new Error(`${host.name} shows no ${name}`);
  return Number(value);
}

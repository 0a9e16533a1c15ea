// How long a client that connects every 5 ms sees no answer when the holder's link is cut, and when
// its agent withdraws. The floor is three adverts: a successor may not act earlier (RFC 5798).

import { setTimeout as wait } from "node:timers/promises";

import { startProbe } from "@fairlead/lab";

import { service } from "../e2e/stage/manifests.ts";
import { createStage, program, type Stage, STATE_DIR } from "../e2e/stage/stage.ts";
import { type Figure, quantile } from "./goal.ts";

const CUTS = 20;
const WITHDRAWALS = 3;
/** Three adverts of 100 ms. */
const FLOOR_MS = 300;
/** The client's own period: a silence of one period is no gap. */
const SETTLE_MS = 900;

/** Measures; takes about two minutes. */
export async function benchFailover(tell: (line: string) => void): Promise<readonly Figure[]> {
  await using stage = await createStage();
  await stage.write("web.yaml", service({ name: "web" }));
  await stage.served("default/web");
  const cuts: number[] = [];
  for (let round = 0; round < CUTS; round += 1) {
    cuts.push(await cutOnce(stage));
    tell(`  cut ${round + 1} of ${CUTS}: ${cuts.at(-1)?.toFixed(0)} ms`);
  }
  const withdrawals: number[] = [];
  for (let round = 0; round < WITHDRAWALS; round += 1) {
    withdrawals.push(await withdrawOnce(stage));
    tell(`  withdrawal ${round + 1} of ${WITHDRAWALS}: ${withdrawals.at(-1)?.toFixed(0)} ms`);
  }
  const unit = "ms";
  return [
    { what: "link cut, p50", value: quantile(cuts, 0.5), unit, floor: FLOOR_MS, goal: 300 },
    { what: "link cut, worst", value: quantile(cuts, 1), unit, floor: FLOOR_MS, goal: 360 },
    { what: "withdrawal, worst", value: quantile(withdrawals, 1), unit, goal: 80 },
  ];
}

/** Cuts the holder's link at a random phase of its adverts, heals it, and gives the silence. */
async function cutOnce(stage: Stage): Promise<number> {
  const { address, holder } = await settledHolder(stage);
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5000);
  await wait(100 + Math.random() * 100);
  await stage.lab.host(holder).cutLink();
  await stage.recorder.waitForHolder(address, 5000, holder);
  await wait(SETTLE_MS);
  const result = await probe.stop();
  await stage.lab.host(holder).healLink();
  return result.longestSilence?.lengthMs ?? Number.POSITIVE_INFINITY;
}

async function withdrawOnce(stage: Stage): Promise<number> {
  const { address, holder } = await settledHolder(stage);
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5000);
  const flags = ["stop", "--withdraw", `--state-dir=${STATE_DIR}`];
  const host = stage.lab.host(holder);
  await host.output(program("fairlead-agent"), flags, { timeoutMs: 30_000 });
  await wait(SETTLE_MS);
  const result = await probe.stop();
  await stage.agent(holder).start();
  return result.longestSilence?.lengthMs ?? Number.POSITIVE_INFINITY;
}

/** The holder, once all three agents are connected and can take over. */
async function settledHolder(
  stage: Stage,
): Promise<{ readonly address: string; readonly holder: string }> {
  const { address } = await stage.served("default/web");
  await stage.backed();
  await stage.until(
    "all agents are in sync with keepalived up",
    (list) =>
      list.agents.length === 3 &&
      list.agents.every((row) => row.sync === "in-sync" && row.keepalivedAlive)
        ? true
        : undefined,
    20_000,
  );
  await stage.recorder.waitForHolder(address, 5000);
  const [holder = ""] = stage.recorder.holders(address);
  return { address, holder };
}

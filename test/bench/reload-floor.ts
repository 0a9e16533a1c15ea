// The floor of whatever changes a listener: bare tests and reloads of the very file that an agent
// has, on three hosts at once, that do nothing else. Given a stage that serves.

import { fileURLToPath } from "node:url";

import { type Host, monotonicMs } from "@fairlead/lab";

import type { Stage } from "../e2e/stage/stage.ts";

const NGINX_CONF = "/run/fairlead/nginx/nginx.conf";
const START_MS = 2000;

/** How often the file is reloaded. */
export interface ReloadRounds {
  readonly rounds: number;
  /** From one round to the next; longer than a reload of this file takes. Default: 500 ms. */
  readonly everyMs?: number;
}

/** Times them; each figure is that of the slowest host of a round, in ms. */
export async function bareReloads(
  stage: Stage,
  { rounds, everyMs = 500 }: ReloadRounds,
): Promise<readonly number[]> {
  const [lb] = stage.balancers;
  if (lb === undefined) throw new Error("the stage has a load balancer");
  const text = await lb.readFile(NGINX_CONF);
  const script = fileURLToPath(new URL("./bare-reload.ts", import.meta.url));
  // All three begin each round at the same moment of the machine's clock.
  const beginMs = Math.ceil(monotonicMs()) + START_MS;
  const args = [script, NGINX_CONF, ...[rounds, beginMs, everyMs].map(String)];
  const timeoutMs = START_MS + 2 * rounds * everyMs + 60_000;
  const times = await Promise.all(
    [stage.client, ...stage.members].map(async (host: Host) => {
      await host.writeFile(NGINX_CONF, text);
      const output = await host.output(process.execPath, args, { timeoutMs });
      return output.trim().split("\n").map(Number);
    }),
  );
  const numbers = Array.from({ length: rounds }, (_, round) => round);
  return numbers.map((round) => Math.max(...times.map((one) => one[round] ?? 0)));
}

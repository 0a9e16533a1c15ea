// Before which thing an agent kills itself, as its story and the agent itself know it. Given the
// agent's host, and a seat that was started with `DYING`.

import type { Host } from "@fairlead/lab";

import type { Seat } from "../seat.ts";

/** Arms an agent: it names the thing. */
export const ARMED_BY = "/run/host/dies-before";
/** What an agent says at last. */
export const DIES_BEFORE = "dies before it ";

/** As an address: no blank of a path may end it among options. */
const HOOK = new URL("./die-before.ts", import.meta.url).href;

/** The environment of an agent that can be armed. */
export const DYING: Readonly<Record<string, string>> = { NODE_OPTIONS: `--import=${HOOK}` };

/** The agent dies when it is about to do this. */
export async function arm(host: Host, thing: string): Promise<void> {
  await host.writeFile(ARMED_BY, thing);
}

/** The agent lives on. */
export async function disarm(host: Host): Promise<void> {
  await host.removeFile(ARMED_BY);
}

/** Before what its lives ended so far. */
export function deathsOf(seat: Seat): readonly string[] {
  return seat
    .lines()
    .filter((line) => line.startsWith(DIES_BEFORE))
    .map((line) => line.slice(DIES_BEFORE.length));
}

// A signal for several processes of a load-balancer host that end by one another: those that write
// logs end with who fills their pipe, and keepalived's child with its parent. Given the host.

import assert from "node:assert/strict";

import type { Host } from "@fairlead/lab";

/**
 * Sends it to each, one by one, as `kill` does. One that is gone when its turn comes ended by what
 * those before it got; that all were gone, and any other trouble, is an assertion's error.
 * @param pids as the host sees them; they lived a moment ago.
 */
export async function signalAll(
  host: Host,
  signal: "KILL" | "STOP",
  pids: readonly number[],
): Promise<void> {
  assert.ok(
    pids.length > 0 && pids.every((pid) => pid > 0),
    `who is to be signalled: ${pids.join()}`,
  );
  const { code, stderr } = await host.exec("kill", [`-${signal}`, ...pids.map(String)]);
  if (code === 0) return;
  const troubles = stderr.trim().split("\n");
  const areGone = troubles.every((trouble) => trouble.endsWith("No such process"));
  assert.ok(areGone && troubles.length < pids.length, `${host.name}: ${stderr}`);
}

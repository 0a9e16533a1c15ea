// A client's single visits and counted answers, for stories that ask who answers rather than when.
// Given the client's host.

import { fileURLToPath } from "node:url";

import { type Host, type ProbeOptions, startProbe } from "@fairlead/lab";

/** What each "ADDRESS:PORT" answered to one visit; null for those who did not. */
export async function visit(
  client: Host,
  targets: readonly string[],
): Promise<Readonly<Record<string, string | null>>> {
  const main = fileURLToPath(new URL("./visitor/main.ts", import.meta.url));
  const input = JSON.stringify(targets);
  const said = await client.output(process.execPath, [main], { input, timeoutMs: 30_000 });
  return JSON.parse(said) as Readonly<Record<string, string | null>>;
}

/** Waits for this many answers, and gives how many each member gave, by name in order. */
export async function answers(
  client: Host,
  options: ProbeOptions,
  count = 40,
): Promise<Readonly<Record<string, number>>> {
  await using probe = await startProbe(client, options);
  let sinceMs = 0;
  for (let answered = 0; answered < count; answered += 1) {
    const { atMs } = await probe.waitForAnswer(10_000, sinceMs);
    sinceMs = atMs + 0.001;
  }
  const { byMember } = await probe.stop();
  return Object.fromEntries([...byMember].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

// Load from one host of a lab by the program wrk: many short connections, or few that carry much.
// Given where to ask. It says what came through, and what failed; it judges nothing.

import type { Host } from "@fairlead/lab";

/** How the load is made. */
export interface LoadOptions {
  /** `http://ADDRESS:PORT/PATH`. */
  readonly url: string;
  /** At once. */
  readonly connections: number;
  readonly seconds: number;
  /** Whether each request has a connection of its own. */
  readonly isShort: boolean;
}

/** What came of it. */
export interface Load {
  /** Requests that were answered, a second; connections where each has its own. */
  readonly perSecond: number;
  /** Of bodies and headers. */
  readonly gigabitsPerSecond: number;
  /** Connections refused, reset or silent, and answers other than 200. */
  readonly failed: number;
}

/** wrk's units of bytes. */
const BYTES: Readonly<Record<string, number>> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };
const GRACE_MS = 20_000;

/** Makes the load and waits for its end. */
export async function makeLoad(host: Host, options: LoadOptions): Promise<Load> {
  const { url, connections, seconds, isShort } = options;
  const flags = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "5s"];
  const header = isShort ? ["-H", "Connection: close"] : [];
  const timeoutMs = seconds * 1000 + GRACE_MS;
  return parseLoad(await host.output("wrk", [...flags, ...header, url], { timeoutMs }));
}

/** Makes the load for as long as something else runs. */
export async function makeLoadDuring(
  host: Host,
  { url, connections }: Pick<LoadOptions, "url" | "connections">,
  run: () => Promise<void>,
): Promise<Load> {
  const flags = ["-t1", `-c${connections}`, "-d3600s", "--timeout", "5s"];
  const wrk = await host.start("wrk", [...flags, "-H", "Connection: close", url]);
  try {
    await run();
  } finally {
    // It says what it has by then.
    await wrk.stop("SIGINT", GRACE_MS);
  }
  return parseLoad(wrk.output());
}

/** Reads what wrk prints at its end. Throws for anything else. */
function parseLoad(text: string): Load {
  const perSecond = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(text)?.[1]);
  const [, amount = "", unit = ""] = /^Transfer\/sec:\s+([\d.]+)([KMG]?B)$/m.exec(text) ?? [];
  const bytes = Number(amount) * (BYTES[unit] ?? Number.NaN);
  if (!(perSecond > 0) || !(bytes > 0)) throw new Error(`wrk got no answer:\n${text}`);
  const errors = /^ *Socket errors: (.*)$/m.exec(text)?.[1] ?? "";
  const others = /^ *Non-2xx or 3xx responses: (\d+)$/m.exec(text)?.[1] ?? "0";
  const counts = [...errors.matchAll(/\d+/g), [others]].map(([count]) => Number(count));
  return {
    perSecond,
    gigabitsPerSecond: (bytes * 8) / 1e9,
    failed: counts.reduce((sum, count) => sum + count, 0),
  };
}

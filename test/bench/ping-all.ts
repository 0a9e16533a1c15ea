// Pings many addresses of one segment from a host of the lab, each again and again, by the program
// fping, and tells how long each was silent. Given the addresses, which all answer at first.

import type { Host } from "@fairlead/lab";

/** From one echo request to an address to the next, in ms: no silence is told finer. */
export const PING_EVERY_MS = 100;

/** The pinging. */
export interface Pings extends AsyncDisposable {
  /** Ends it. The longest time without an answer, in ms, of each address; also one at the end. */
  stop(): Promise<ReadonlyMap<string, number>>;
}

const TARGETS = "/run/host/ping-targets";
const ANSWERS = "/run/host/ping-answers";
const START_MS_MAX = 20_000;
/** Between any two requests. */
const GAP_MS = 0.02;

/** Starts to ping, and waits until each address has answered. */
export async function pingAll(host: Host, addresses: readonly string[]): Promise<Pings> {
  await learnNeighbours(host, addresses);
  await host.writeFile(TARGETS, addresses.map((one) => `${one}\n`).join(""));
  const fping = `exec fping -l -D -i ${GAP_MS} -p ${PING_EVERY_MS} -f ${TARGETS} >${ANSWERS}`;
  const program = await host.start("sh", ["-c", fping]);
  const allAnswered = `
    until [ "$(cut -d ' ' -f 2 ${ANSWERS} | sort -u | wc -l)" -ge ${addresses.length} ]
    do sleep 0.5; done`;
  await host
    .output("sh", ["-c", allAnswered], { timeoutMs: START_MS_MAX })
    .catch((cause: unknown) => {
      throw new Error(`not every address answers; fping said:\n${program.output()}`, { cause });
    });
  return {
    stop: async () => {
      await program.stop();
      return silencesOf(await host.readFile(ANSWERS));
    },
    [Symbol.asyncDispose]: async () => void (await program.stop()),
  };
}

/**
 * The kernels of all namespaces of a machine share one table of neighbours, which by default has
 * room for 1 024 that the kernel learnt itself; those learnt from outside do not count.
 */
async function learnNeighbours(host: Host, addresses: readonly string[]): Promise<void> {
  const [first = ""] = addresses;
  await host.output("fping", ["-c1", first]);
  const shown = await host.output("ip", ["neighbour", "show", first]);
  const mac = /lladdr (\S+)/.exec(shown)?.[1];
  if (mac === undefined) throw new Error(`nobody is known to have ${first}`);
  const lines = addresses.map((one) => {
    return `neighbour replace ${one} dev ${host.link} lladdr ${mac} nud reachable extern_learn\n`;
  });
  await host.output("ip", ["-batch", "-"], { input: lines.join("") });
}

/** Of lines like "[1700000000.123456] 192.0.2.100 : [7], 64 bytes, 0.1 ms (...)". */
function silencesOf(text: string): ReadonlyMap<string, number> {
  const lastMs = new Map<string, number>();
  const longest = new Map<string, number>();
  for (const [, seconds = "", address = ""] of text.matchAll(
    /^\[([\d.]+)\] (\S+)\s+: .* bytes/gm,
  )) {
    const atMs = 1000 * Number(seconds);
    const before = lastMs.get(address);
    lastMs.set(address, atMs);
    if (before === undefined) continue;
    longest.set(address, Math.max(longest.get(address) ?? 0, atMs - before));
  }
  const endMs = Math.max(...lastMs.values());
  for (const [address, atMs] of lastMs) {
    longest.set(address, Math.max(longest.get(address) ?? 0, endMs - atMs));
  }
  return longest;
}

// A thousand addresses put on a device by the agent's adapter, beside the same by one `ip -batch`,
// in turn on one host of a lab.

import { fileURLToPath } from "node:url";

import { createLab } from "@fairlead/lab";

import { roundsOf } from "./counts.ts";
import { type Figure, quantile } from "./goal.ts";

const ADDRESSES = 1000;
const ROUNDS = 9;
const TIMES_MAX = 3;

/** Measures; takes some ten seconds. */
export async function benchNetlinkAdds(tell: (line: string) => void): Promise<readonly Figure[]> {
  await using lab = await createLab();
  const host = await lab.addHost("lb", { address: "10.77.0.11/16" });
  const script = fileURLToPath(new URL("./netlink-adds-main.ts", import.meta.url));
  const args = [script, String(ADDRESSES), String(roundsOf(ROUNDS))];
  const output = await host.output(process.execPath, args, { timeoutMs: 120_000 });
  const rounds = output
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number));
  const [ours, theirs] = [0, 1].map((at) => rounds.map((round) => round[at] ?? Number.NaN));
  tell(`  ms of ours and of ip -batch: ${output.trim().split("\n").join(", ")}`);
  const ratios = rounds.map(([our = Number.NaN, their = Number.NaN]) => our / their);
  return [
    {
      what: `${ADDRESSES} addresses by ip -batch, p50`,
      value: quantile(theirs ?? [], 0.5),
      unit: "ms",
    },
    {
      what: `${ADDRESSES} addresses by netlink, p50`,
      value: quantile(ours ?? [], 0.5),
      unit: "ms",
    },
    {
      what: "netlink / ip -batch, p50",
      value: quantile(ratios, 0.5),
      unit: "x",
      digits: 2,
      goal: TIMES_MAX,
    },
  ];
}

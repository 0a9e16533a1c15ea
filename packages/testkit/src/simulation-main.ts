// Runs simulations by hand: `node packages/testkit/src/simulation-main.ts --seed N --runs M`.
// Prints each seed that fails with what was wrong; --log shows what happened in the first one.

import { parseArgs } from "node:util";

import { simulate } from "./simulation/simulation.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "100" },
    deeds: { type: "string", default: "40" },
    log: { type: "boolean", default: false },
  },
});
const write = (text: string): void => void process.stdout.write(text);
const first = Number(values.seed);
let failures = 0;
for (let seed = first; seed < first + Number(values.runs); seed += 1) {
  const tell = (line: string): void => write(`${line}\n`);
  const { faults, settledAfterMs } = await simulate({
    seed,
    deeds: Number(values.deeds),
    ...(values.log ? { log: { write }, tell } : {}),
  });
  if (faults.length > 0) {
    failures += 1;
    write(`seed ${seed} failed; to see it again: --seed ${seed} --runs 1 --log\n`);
  }
  if (faults.length > 0 || values.log) {
    write(
      `seed ${seed}: settled after ${settledAfterMs} ms\n${faults.map((one) => `  ${one}\n`).join("")}`,
    );
  }
}
write(`${values.runs} runs from seed ${first}: ${failures} failed\n`);
process.exitCode = failures === 0 ? 0 : 1;

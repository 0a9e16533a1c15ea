// Runs simulations by hand: `node packages/testkit/src/simulation-main.ts --seed N --runs M`.
// Prints each seed that fails with what was wrong; --log shows what happened in the first one.
// --no-operators leaves out what operators ask for, --deeds N makes the days shorter or longer, and
// --with families,pools gives them these traits, or `nothing`, in place of those of their seeds.

import { commandOf, readDays } from "./simulation/day-flags.ts";
import { simulate } from "./simulation/simulation.ts";

const { seed: first, runs, isLogged, ...rest } = readDays(process.argv.slice(2));
const write = (text: string): void => void process.stdout.write(text);
let failures = 0;
for (let seed = first; seed < first + runs; seed += 1) {
  const tell = (line: string): void => write(`${line}\n`);
  const day = { ...rest, seed };
  const { faults, settledAfterMs } = await simulate({
    ...day,
    ...(isLogged ? { log: { write }, tell } : {}),
  });
  if (faults.length > 0) {
    failures += 1;
    write(`seed ${seed} failed; to see it again: ${commandOf(day)}\n`);
  }
  if (faults.length > 0 || isLogged) {
    write(
      `seed ${seed}: settled after ${settledAfterMs} ms\n${faults.map((one) => `  ${one}\n`).join("")}`,
    );
  }
}
write(`${runs} runs from seed ${first}: ${failures} failed\n`);
process.exitCode = failures === 0 ? 0 : 1;

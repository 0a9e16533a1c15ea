// Runs the benches and prints their figures: `npm run bench`, or `npm run bench -- WORD...` for
// some of them, by the words below. Ends with 1 when a goal is missed.

import { benchAllocation } from "./allocation.ts";
import { benchClusterBurst } from "./cluster-burst.ts";
import { benchClusterFound } from "./cluster-found.ts";
import { benchClusterCreate } from "./cluster-create.ts";
import { benchClusterIdle } from "./cluster-idle.ts";
import { benchClusterMemory } from "./cluster-memory.ts";
import { benchClusterWrites } from "./cluster-writes.ts";
import { benchCrowdedReloads, crowdedFigures } from "./crowded-reloads.ts";
import { benchDatapath } from "./datapath.ts";
import { benchFailover } from "./failover.ts";
import { type Figure, formatFigures, isMet } from "./goal.ts";
import { benchMemberChange } from "./member-change.ts";
import { benchMemberTable } from "./member-table.ts";
import { benchNetlinkAdds } from "./netlink-adds.ts";
import { benchPlanning } from "./planning.ts";
import { benchReloadGrowth } from "./reload-growth.ts";
import { benchRender } from "./render.ts";
import { benchReloads } from "./reloads.ts";
import { benchSliceChange } from "./slice-change.ts";
import { benchTakeover } from "./takeover.ts";
import { benchTurn } from "./turn.ts";
import { benchVips } from "./vips.ts";

type Tell = (line: string) => void;

const BENCHES: Readonly<Record<string, (tell: Tell) => Promise<readonly Figure[]>>> = {
  planning: planningFigures,
  render: renderFigures,
  allocation: benchAllocation,
  failover: benchFailover,
  datapath: benchDatapath,
  members: memberFigures,
  reloads: allReloads,
  "reload-growth": benchReloadGrowth,
  netlink: benchNetlinkAdds,
  vips: benchVips,
  "cluster-create": benchClusterCreate,
  "cluster-burst": benchClusterBurst,
  "cluster-found": benchClusterFound,
  "cluster-writes": benchClusterWrites,
  "cluster-idle": benchClusterIdle,
  "cluster-memory": benchClusterMemory,
  takeover: benchTakeover,
};

async function planningFigures(): Promise<readonly Figure[]> {
  const { floorMs: floor, services, ...ms } = await benchPlanning();
  const all = `${Math.floor(services / 1000)} 000`;
  const figure = (what: string, value: number, goal?: number): Figure => {
    return { what, value, unit: "ms", floor, ...(goal === undefined ? {} : { goal }) };
  };
  return [
    figure(`planning ${all} Services from scratch`, ms.scratchMs, 300),
    figure("planning them at a restart", ms.restartMs),
    figure(`planning after one changed Service of ${all}`, ms.changedMs, 10),
    figure("planning after one more Service", ms.addedMs, 15),
    figure("planning after one agent's report that says the same", ms.reportedMs, 15),
    figure("a whole turn after one changed Service", await benchTurn(), 15),
    ...benchSliceChange(),
  ];
}

async function renderFigures(): Promise<readonly Figure[]> {
  const { floorMs: floor, services, keepalivedMs, nginxMs } = await benchRender();
  const unit = "ms";
  const value = keepalivedMs + nginxMs;
  return [{ what: `render ${services} Services, both files`, value, unit, floor, goal: 50 }];
}

async function allReloads(tell: Tell): Promise<readonly Figure[]> {
  return [...(await benchReloads(tell)), ...crowdedFigures(await benchCrowdedReloads(tell))];
}

async function memberFigures(tell: Tell): Promise<readonly Figure[]> {
  return [...(await benchMemberTable(tell)), ...(await benchMemberChange(tell))];
}

/** Progress and mistakes; figures alone go to standard output. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  say(`no such bench: ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}
let areMet = true;
for (const [name, bench] of Object.entries(BENCHES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stdout.write(`${name}\n`);
  const figures = await bench(say);
  process.stdout.write(`${formatFigures(figures)}\n`);
  areMet &&= figures.every(isMet);
}
process.exitCode = areMet ? 0 : 1;

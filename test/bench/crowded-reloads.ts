// A hundred reloads while a client makes as many short connections as the machine has time for:
// thousands a second, none of which may fail. Its members are nginx themselves.

import { service } from "../e2e/stage/manifests.ts";
import { createStage } from "../e2e/stage/stage.ts";
import { roundsOf } from "./counts.ts";
import { allowManyConnections, MEMBER_PORT, startHttpMembers } from "./datapath-stage.ts";
import type { Figure } from "./goal.ts";
import { type Load, makeLoadDuring } from "./load.ts";
import { AGENT_PORT, readMetric } from "./readings.ts";
import { openPort } from "./reloads.ts";

const RELOADS = 100;
const PER_SECOND_MIN = 2000;
/** At once: with four it is their waiting that is measured, some 1 300 a second. */
const CONNECTIONS = 16;
const HTTP = { name: "http", port: 80, targetPort: MEMBER_PORT };

/** Measures; takes about two minutes. */
export async function benchCrowdedReloads(tell: (line: string) => void): Promise<Crowded> {
  await using stage = await createStage();
  await startHttpMembers(stage);
  await allowManyConnections([stage.client, ...stage.balancers]);
  await stage.write("web.yaml", service({ name: "web", ports: [HTTP] }));
  const { address, holder } = await stage.served("default/web");
  await openPort(stage, HTTP, 8000);
  await stage.backed();
  const page = { host: stage.lab.host(holder), port: AGENT_PORT };
  const before = await readMetric(page, "fairlead_proxy_reloads_total");
  const changes = roundsOf(RELOADS);
  const target = { url: `http://${address}:80/`, connections: CONNECTIONS };
  const load = await makeLoadDuring(stage.client, target, async () => {
    for (let round = 1; round <= changes; round += 1) {
      await openPort(stage, HTTP, 8000 + round);
      if (round % 10 === 0) tell(`  change ${round} of ${changes} in the crowd`);
    }
  });
  const made = (await readMetric(page, "fairlead_proxy_reloads_total")) - before;
  return { load, changes, made };
}

/** What was measured. */
export interface Crowded {
  readonly load: Pick<Load, "perSecond" | "failed">;
  /** Changes of listeners meanwhile, and reloads of the holder by them. */
  readonly changes: number;
  readonly made: number;
}

/** A crowd that was none, or that met no reload, proves nothing. */
export function crowdedFigures({ load, changes, made }: Crowded): readonly Figure[] {
  return [
    {
      what: "connections a second in a crowd, with reloads",
      value: load.perSecond,
      unit: "1/s",
      least: PER_SECOND_MIN,
    },
    { what: "reloads in the crowd", value: made, unit: "reloads", least: changes },
    { what: "failed connections in the crowd", value: load.failed, unit: "failed", goal: 0 },
  ];
}

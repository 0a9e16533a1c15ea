// How the time of a reload grows with Services: 500 and 5 000 of two ports each, as the agent's
// nginx.conf has them, tested and reloaded by nginx alone. The exponent is that of a power: 1 is a
// time that grows as the Services do, 2 one that grows as their square.

import { fileURLToPath } from "node:url";

import { NO_PLACES, placeAll } from "@fairlead/agent";
import { createLab, type Host, monotonicMs } from "@fairlead/lab";
import { createTemplates, type NginxSettings, renderNginx } from "@fairlead/render";
import { address, listenerOf } from "@fairlead/testkit";

import { roundsOf } from "./counts.ts";
import { type Figure, quantile } from "./goal.ts";

const FEW = 500;
const MANY = 5000;
const PORTS = [80, 443];
const MEMBERS = ["10.2.0.1:8080", "10.2.0.2:8080", "10.2.0.3:8080"];
const ROUNDS = 11;
/** Longer than any of these reloads takes. */
const EVERY_MS = 1500;
const START_MS = 4000;
const EXPONENT_MAX = 1.3;
const FOLDER = "/run/fairlead/nginx";
const TARGET = address("198.18.0.1");
const RANGES = { ipv4: { network: "198.18.0.0/15", target: TARGET } };

const SETTINGS: NginxSettings = {
  workerProcesses: 2,
  workerConnections: 8192,
  openFilesMax: 65_536,
  shutdownTimeoutMs: 600_000,
  paths: {
    streamModule: "/usr/lib/nginx/modules/ngx_stream_module.so",
    pid: `${FOLDER}/nginx.pid`,
    errorLog: "stderr",
    probeSocket: `${FOLDER}/generation.sock`,
  },
};

/** Measures; takes about a minute. */
export async function benchReloadGrowth(tell: (line: string) => void): Promise<readonly Figure[]> {
  await using lab = await createLab();
  const few = await reloadOn(await lab.addHost("few", { address: "10.77.0.11/24" }), FEW);
  tell(`  ${FEW} Services: ${few.map((ms) => ms.toFixed(0)).join(" ")} ms`);
  const many = await reloadOn(await lab.addHost("many", { address: "10.77.0.12/24" }), MANY);
  tell(`  ${MANY} Services: ${many.map((ms) => ms.toFixed(0)).join(" ")} ms`);
  const [fewMs, manyMs] = [quantile(few, 0.5), quantile(many, 0.5)];
  return [
    { what: `test and reload, ${FEW} Services of two ports, p50`, value: fewMs, unit: "ms" },
    { what: `the same of ${MANY}`, value: manyMs, unit: "ms", floor: fewMs },
    {
      what: "exponent of the growth between them",
      value: Math.log(manyMs / fewMs) / Math.log(MANY / FEW),
      unit: "",
      digits: 2,
      goal: EXPONENT_MAX,
    },
  ];
}

async function reloadOn(host: Host, services: number): Promise<readonly number[]> {
  const config = `${FOLDER}/nginx.conf`;
  await host.writeFile(config, configOf(services));
  const script = fileURLToPath(new URL("./bare-reload.ts", import.meta.url));
  const rounds = roundsOf(ROUNDS);
  const beginMs = Math.ceil(monotonicMs()) + START_MS;
  const timeoutMs = START_MS + 2 * rounds * EVERY_MS + 60_000;
  const args = [script, config, ...[rounds, beginMs, EVERY_MS].map(String)];
  const output = await host.output(process.execPath, args, { timeoutMs });
  return output.trim().split("\n").map(Number);
}

function configOf(services: number): string {
  const pairs = Array.from({ length: services }, (_, index) => {
    const vip = `10.1.${index >> 8}.${index & 255}`;
    return PORTS.map((port) => listenerOf(`${vip}:${port}/tcp`, MEMBERS));
  }).flat();
  const placeable = new Map(
    pairs.map(([listener, members]) => [listener.name, { listener, members }]),
  );
  return renderNginx({
    listeners: pairs.map(([listener]) => listener),
    memberSets: new Map(pairs.map(([, set]) => [set.name, set])),
    places: placeAll(NO_PLACES, placeable, RANGES).places,
    targets: { ipv4: TARGET },
    generation: "0123456789abcdef",
    settings: SETTINGS,
    templates: createTemplates(),
  }).text;
}

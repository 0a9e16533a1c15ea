// How long both files of a host with a thousand Services take to render: two ports and three
// members a Service. The floor is writing the same plan as JSON in the same run, so that figures
// of different machines compare.

import type { LaneResource, VipResource } from "@fairlead/model";
import { createTemplates, renderKeepalived, renderNginx } from "@fairlead/render";
import { agentName, laneOf, listenerOf, vipOf } from "@fairlead/testkit";

/** Services in the bench. */
const SERVICES = 1000;
/** An agent masters at most so many lanes of a segment. */
const LANES = 8;
const PORTS = [80, 443];
/** Each figure is the median of so many runs, after two that warm up. */
const RUNS = 11;
const WARM_UP_RUNS = 2;

/** Medians in ms, and sizes in bytes. */
export interface RenderFigures {
  readonly services: number;
  readonly floorMs: number;
  /** Reading and compiling the templates, once in a program's life. */
  readonly compileMs: number;
  readonly keepalivedMs: number;
  readonly nginxMs: number;
  /** The first rendering of both files in this process, nothing warm. */
  readonly firstMs: number;
  readonly keepalivedBytes: number;
  readonly nginxBytes: number;
}

/** Measures; takes well below a second of one core. */
export function benchRender(): Promise<RenderFigures> {
  const lanes = Array.from({ length: LANES }, (_, index) =>
    laneOf({ routerId: index + 1, order: ["lb-1=10.0.0.11", "lb-2=10.0.0.12", "lb-3=10.0.0.13"] }),
  );
  const vips = makeVips(lanes);
  const pairs = vips.flatMap((vip, index) => {
    const members = [1, 2, 3].map((n) => `10.2.${index >> 6}.${(index & 63) * 4 + n}:8080`);
    return PORTS.map((port) => listenerOf(`${vip.address}:${port}/tcp`, members));
  });
  const listeners = pairs.map(([listener]) => listener);
  const memberSets = new Map(pairs.map(([, set]) => [set.name, set]));

  const compileMs = timed(() => void createTemplates());
  const templates = createTemplates();
  const paths = { trackDir: "/run/fairlead/keepalived/track" };
  const keepalived = (): string =>
    renderKeepalived({ agent: agentName("lb-1"), lanes, vips, paths, templates }).text;
  const nginx = (): string =>
    renderNginx({ listeners, memberSets, generation: "0123456789abcdef", settings, templates })
      .text;
  const firstMs = timed(() => void [keepalived(), nginx()]);
  return Promise.resolve({
    services: SERVICES,
    floorMs: median(() => void JSON.stringify([lanes, vips, pairs])),
    compileMs,
    keepalivedMs: median(() => void keepalived()),
    nginxMs: median(() => void nginx()),
    firstMs,
    keepalivedBytes: keepalived().length,
    nginxBytes: nginx().length,
  });
}

/** The figures as lines for people. */
export function describeRender(figures: RenderFigures): readonly string[] {
  const { floorMs } = figures;
  const line = (what: string, ms: number, bytes?: number): string => {
    const size = bytes === undefined ? "" : `, ${Math.round(bytes / 1000)} kB`;
    const ratio = (ms / floorMs).toFixed(2);
    return `${what.padEnd(34)} ${ms.toFixed(1).padStart(8)} ms  ${ratio} x floor${size}`;
  };
  return [
    `rendering ${figures.services} Services, ${PORTS.length} ports each, 3 members each`,
    line("floor: the plan as JSON", floorMs),
    line("templates compiled, once", figures.compileMs),
    line("both files, the first time", figures.firstMs),
    line("keepalived.conf", figures.keepalivedMs, figures.keepalivedBytes),
    line("nginx.conf", figures.nginxMs, figures.nginxBytes),
  ];
}

const settings = {
  workerProcesses: 2,
  workerConnections: 8192,
  openFilesMax: 32_768,
  shutdownTimeoutMs: 600_000,
  paths: {
    streamModule: "/usr/lib/nginx/modules/ngx_stream_module.so",
    pid: "/run/fairlead/nginx/nginx.pid",
    errorLog: "stderr",
    probeSocket: "/run/fairlead/nginx/generation.sock",
  },
} as const;

function makeVips(lanes: readonly LaneResource[]): VipResource[] {
  return Array.from({ length: SERVICES }, (_, index) => index).flatMap((index) => {
    const lane = lanes[index % lanes.length];
    return lane === undefined ? [] : [vipOf(`10.1.${index >> 8}.${index & 255}`, lane)];
  });
}

function timed(run: () => void): number {
  const begun = performance.now();
  run();
  return performance.now() - begun;
}

function median(run: () => void): number {
  const times = Array.from({ length: WARM_UP_RUNS + RUNS }, () => timed(run)).slice(WARM_UP_RUNS);
  return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
}

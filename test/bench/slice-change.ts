// How long the controller's event loop is not free after one EndpointSlice of a Service with ten
// thousand endpoints has changed: what it says is read, and all that stands behind the Service is
// gathered again, in one go. Played objects, no cluster.

import { ClaimTable, readService, readSlice, type SourceObject } from "@fairlead/controller";

import { type Figure, quantile } from "./goal.ts";

const SHAPES = [
  // As Kubernetes fills them.
  { slices: 100, each: 100 },
  // As full as they may be.
  { slices: 10, each: 1000 },
] as const;
type Shape = (typeof SHAPES)[number];
/** As many as a Service may have. */
const PORTS = 100;
const CHANGES = 21;
const BLOCKED_MS_MAX = 50;
const KEY = "default/web";
const PORT_LIST = Array.from({ length: PORTS }, (_, at) => ({ name: `p${at}`, port: 8000 + at }));

/** Measures; takes a few seconds of one core. */
export function benchSliceChange(): readonly Figure[] {
  return (["IPv4", "IPv6"] as const).flatMap((family) =>
    SHAPES.map((shape) => {
      const what = `one changed slice of ${shape.slices} with ${shape.each} ${family} endpoints each`;
      return { what, value: changeMs(family, shape), unit: "ms", goal: BLOCKED_MS_MAX };
    }),
  );
}

/** The median: of the longest ones a machine that is busy has its share. */
function changeMs(family: "IPv4" | "IPv6", { slices, each }: Shape): number {
  const table = new ClaimTable("kubernetes", {
    defaultClass: true,
    classes: [],
    members: "endpoints",
    nodeSelector: {},
    ownFieldManager: "fairlead",
    isShared: true,
  });
  const spec = { type: "LoadBalancer", ports: PORT_LIST };
  const metadata = { name: "web", namespace: "default", uid: "u1", resourceVersion: "1" };
  const service = { apiVersion: "v1", kind: "Service", metadata, spec };
  table.setService(KEY, readService(service, { origin: "bench", share: (text) => text }));
  const change = (at: number, isReady: boolean): void => {
    const read = readSlice(sliceOf({ family, at, each }, isReady), "bench");
    table.setSlice(`default/web-${at}`, read as SourceObject);
  };
  for (let at = 0; at < slices; at += 1) change(at, true);
  if (table.facts(KEY).length === 0) throw new Error("the Service has no claim");
  const times = Array.from({ length: CHANGES }, (_, at) => {
    const begunMs = performance.now();
    change(at % slices, Math.floor(at / slices) % 2 === 1);
    if (table.facts(KEY).length === 0) throw new Error("the change says nothing");
    return performance.now() - begunMs;
  });
  return quantile(times, 0.5);
}

interface Place {
  readonly family: "IPv4" | "IPv6";
  readonly at: number;
  readonly each: number;
}

function sliceOf({ family, at, each }: Place, isReady: boolean): Record<string, unknown> {
  const labels = { "kubernetes.io/service-name": "web" };
  const endpoints = Array.from({ length: each }, (_, index) => {
    const [high, low] = [Math.floor(index / 250), index % 250];
    return {
      addresses: [
        family === "IPv4" ? `10.${high}.${low}.${at}` : `fd00:10:${high}:${low}::${at}:1`,
      ],
      conditions: { ready: isReady || index > 0 },
    };
  });
  const metadata = { name: `web-${at}`, namespace: "default", labels };
  return { metadata, addressType: family, ports: PORT_LIST, endpoints };
}

// How the files of one host's daemons are made: the renderers with what all files of this host have
// in common. Given the host's layout, settings and programs.

import type { AgentName } from "@fairlead/model";
import {
  type NginxInput,
  type ServiceRanges,
  createTemplates,
  nginxRefusals,
  renderKeepalived,
  renderNginx,
} from "@fairlead/render";

import type { DataPlaneLayout } from "./data-plane-layout.ts";
import { generationId } from "./generation-id.ts";
import type { Host } from "./host.ts";
import { isReachedBy } from "./is-reached-by.ts";
import { nginxParts, udpSessionsMax } from "./nginx-parts.ts";
import { openFilesMax } from "./open-files.ts";
import type { HostPrograms } from "./preflight/preflight.ts";
import type { AgentSettings } from "./settings.ts";

/** Connections of both sides that a worker may have; 32 768 would cost 28 MB a generation. */
const WORKER_CONNECTIONS = 8192;

/** What files depend on beside their resources. */
export interface HostRendererOptions {
  readonly agent: AgentName;
  readonly layout: DataPlaneLayout;
  readonly settings: Pick<AgentSettings, "workerProcesses">;
  readonly programs: HostPrograms;
  /** Networks of service addresses, of the families that the host speaks. */
  readonly ranges: ServiceRanges;
}

/** The renderers of a host. */
export type HostRenderers = Pick<
  Host,
  "nginxRefusals" | "generationOf" | "renderNginx" | "renderKeepalived"
>;

/** Makes them; reads the templates and the host's limit of open files. */
export async function hostRenderers(options: HostRendererOptions): Promise<HostRenderers> {
  const { agent, layout, programs, ranges } = options;
  const templates = createTemplates();
  const settings = await nginxSettingsOf(options);
  const isReached = isReachedBy(settings.user, layout.nginx.dir);
  // An id of a release before would be answered already where its file had another text.
  const { streamModule } = programs;
  const frame = [settings, layout.nginx.dir, streamModule, templates.nginxSource, isReached];
  const salt = JSON.stringify(frame);
  const targets = targetsOf(ranges);
  return {
    nginxRefusals,
    generationOf: (listeners) => generationId(listeners, salt),
    renderNginx: remembered((served, generation, protocol) => {
      const instance = protocol === "udp" ? layout.nginxUdp : layout.nginx;
      const { pid, errorLog } = instance;
      const probeSocket = instance.probeSocket(generation);
      // Clients of UDP may fill that one up, and are no reason to think ill of it.
      const connects = isReached && protocol === "tcp";
      const answer = connects ? { answerSocket: instance.answerSocket(generation) } : {};
      const paths = { streamModule, pid, errorLog, probeSocket, ...answer };
      const { shutdownTimeoutMs, ...parts } = nginxParts(served, settings);
      const rendered = { ...settings, shutdownTimeoutMs, paths };
      return renderNginx({ ...parts, generation, settings: rendered, templates, targets }).text;
    }),
    renderKeepalived: (lanes, vips, udpLanes) =>
      renderKeepalived({
        agent,
        lanes,
        vips,
        udpLanes,
        templates,
        paths: { trackDir: layout.keepalived.trackDir },
        checksOnReload: programs.checksOnReload,
      }),
  };
}

/** Sessions that a UDP listener may have which has no limit of its own. */
export function udpSessionsMaxOf({ workerProcesses }: AgentSettings): number {
  return udpSessionsMax({ workerProcesses, workerConnections: WORKER_CONNECTIONS });
}

/** What all generations of nginx have in common. */
async function nginxSettingsOf({ settings, programs }: HostRendererOptions) {
  return {
    workerProcesses: settings.workerProcesses,
    workerConnections: WORKER_CONNECTIONS,
    openFilesMax: await openFilesMax(4 * WORKER_CONNECTIONS),
    ...(programs.nginxUser === undefined ? {} : { user: programs.nginxUser }),
  };
}

/**
 * The text of a generation is asked for in every pass, and changes with the generation alone. A
 * file with some of its listeners is checked once and not remembered.
 */
function remembered(render: Host["renderNginx"]): Host["renderNginx"] {
  interface Rendered {
    readonly generation: string;
    /** How many listeners it has. */
    readonly count: number;
    readonly text: string;
  }
  const last = new Map<string, Rendered>();
  return (listeners, generation, protocol) => {
    const known = last.get(protocol);
    const count = listeners.length;
    if (known?.generation === generation && known.count === count) return known.text;
    const text = render(listeners, generation, protocol);
    const isNews = known?.generation === generation && count < known.count;
    if (!isNews) last.set(protocol, { generation, count, text });
    return text;
  };
}

/** What nginx connects to, by family. */
export function targetsOf({ ipv4, ipv6 }: ServiceRanges): NonNullable<NginxInput["targets"]> {
  return { ipv4: ipv4.target, ...(ipv6 === undefined ? {} : { ipv6: ipv6.target }) };
}

// What the agent's loop is given of a host: its ports, and the real renderers with the settings of
// some machine. Given the ports; it renders as the agent does.

import { generationId, type Host } from "@fairlead/agent";
import type { AgentName } from "@fairlead/model";
import { createTemplates, nginxRefusals, renderKeepalived, renderNginx } from "@fairlead/render";

import { FAKE_RANGES } from "../fakes/fake-member-table.ts";
import type { UnreliableHost } from "./unreliable-host.ts";

/** Compiled once for all agents of a test. */
const TEMPLATES = createTemplates();

/** The ports with the renderers. */
export function renderingHost(agent: AgentName, ports: UnreliableHost["host"]): Host {
  return {
    ...ports,
    nginxRefusals,
    generationOf: (listeners) => generationId(listeners, ""),
    renderKeepalived: (lanes, vips, udpLanes) =>
      renderKeepalived({
        agent,
        lanes,
        vips,
        udpLanes,
        paths: { trackDir: "/track" },
        templates: TEMPLATES,
      }),
    renderNginx: (served, generation) =>
      renderNginx({
        listeners: served.map((entry) => entry.listener),
        memberSets: new Map(served.map((entry) => [entry.members.name, entry.members])),
        places: new Map(
          served.flatMap(({ listener, place }) =>
            place === undefined ? [] : [[listener.name, place] as const],
          ),
        ),
        targets: { ipv4: FAKE_RANGES.ipv4.target, ipv6: FAKE_RANGES.ipv6.target },
        generation,
        templates: TEMPLATES,
        settings: {
          workerProcesses: 2,
          workerConnections: 1024,
          openFilesMax: 4096,
          shutdownTimeoutMs: 60_000,
          paths: { streamModule: "/m.so", pid: "/p", errorLog: "stderr", probeSocket: "/s" },
        },
      }).text,
  };
}

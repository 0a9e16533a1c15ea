// What nginx listens on when an agent starts: an agent before this one handed it over. Until nginx
// was told something it is all that is known to serve, and the input guard lets in nothing else.
// Given both instances and the plan from disk; it changes nothing.

import type { ResourceName } from "@fairlead/model";

import type { Applied, ServedListener } from "./applied.ts";
import type { Host } from "./host.ts";
import { placeOf } from "./listen-place.ts";
import type { AcceptedPlan, NginxDaemon } from "./ports.ts";
import { answeringNow } from "./serve-listeners.ts";
import { servedListeners } from "./served-listeners.ts";

/** Listeners of the plan whose places are listened on; none where that fails. Never rejects. */
export async function listeningBefore(
  { nginx, nginxUdp }: Pick<Host, "nginx" | "nginxUdp">,
  wanted: AcceptedPlan | undefined,
): Promise<Applied["listeners"]> {
  if (wanted === undefined) return new Map();
  const all = servedListeners(wanted);
  const [tcp, udp] = await Promise.all([
    listeningOn(
      nginx,
      all.filter(({ listener }) => listener.protocol === "tcp"),
    ),
    listeningOn(
      nginxUdp,
      all.filter(({ listener }) => listener.protocol === "udp"),
    ),
  ]);
  return new Map([...tcp, ...udp]);
}

async function listeningOn(
  nginx: NginxDaemon,
  listeners: readonly ServedListener[],
): Promise<readonly (readonly [ResourceName, ServedListener])[]> {
  const answering = await answeringNow(nginx, { generation: undefined }).catch(() => undefined);
  return listeners
    .filter(({ listener }) => answering?.places.has(placeOf(listener)))
    .map((entry) => [entry.listener.name, entry]);
}

// nginx's file as an agent renders it, for tests of a real nginx. Given listeners with their
// members, or with their places in the kernel's table, and the layout of the instance.

import {
  type ListenerResource,
  type MemberSetResource,
  type Revision,
  present,
} from "@fairlead/model";
import { type ServicePlace, createTemplates, renderNginx } from "@fairlead/render";

import type { ServedListener } from "./applied.ts";
import type { NginxLayout } from "./data-plane-layout.ts";
import { targetsOf } from "./host-renderers.ts";
import { nginxParts } from "./nginx-parts.ts";
import { parseServiceRanges, SERVICE_NETWORKS } from "./service-ranges.ts";

/** How many workers it has, and how many connections each of them. */
export type RenderedSize = Parameters<typeof nginxParts>[1];

/** Files hold no revisions: any will do. */
const REVISION = "0".repeat(32) as Revision;

/** What nginx connects to where a listener has a place: that of an agent that is told nothing. */
const TARGETS = targetsOf(present(parseServiceRanges(SERVICE_NETWORKS), "the default networks"));

/** A listener as a pass hands it to nginx, with its members in the file if it has no place. */
export function servedOf(
  listener: ListenerResource,
  members: MemberSetResource,
  place?: ServicePlace,
): ServedListener {
  const served = { listener, members, revision: REVISION, membersRevision: REVISION };
  return place === undefined ? served : { ...served, place };
}

/** The text of the file in which these are served, by workers that run as root. */
export function renderedFile(
  layout: NginxLayout,
  generation: string,
  served: readonly ServedListener[],
  size: RenderedSize,
): string {
  const { pid, errorLog } = layout;
  const streamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";
  const probeSocket = layout.probeSocket(generation);
  const answerSocket = layout.answerSocket(generation);
  const paths = { streamModule, pid, errorLog, probeSocket, answerSocket };
  const { shutdownTimeoutMs, ...parts } = nginxParts(served, size);
  const settings = { ...size, openFilesMax: 1024, user: "root", shutdownTimeoutMs, paths };
  const templates = createTemplates();
  return renderNginx({ ...parts, generation, settings, templates, targets: TARGETS }).text;
}

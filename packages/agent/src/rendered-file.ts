// nginx's file as an agent renders it, for tests of a real nginx. Given listeners with their
// members and the layout of the instance.

import type { ListenerResource, MemberSetResource, Revision } from "@fairlead/model";
import { createTemplates, renderNginx } from "@fairlead/render";

import type { ServedListener } from "./applied.ts";
import type { NginxLayout } from "./data-plane-layout.ts";
import { nginxParts } from "./nginx-parts.ts";

/** How many workers it has, and how many connections each of them. */
export type RenderedSize = Parameters<typeof nginxParts>[1];

/** Files hold no revisions: any will do. */
const REVISION = "0".repeat(32) as Revision;

/** A listener as a pass hands it to nginx, with its members in the file. */
export function servedOf(listener: ListenerResource, members: MemberSetResource): ServedListener {
  return { listener, members, revision: REVISION, membersRevision: REVISION };
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
  return renderNginx({ ...parts, generation, settings, templates: createTemplates() }).text;
}

// Node plan to nginx.conf: view, template, and how many listeners the result has. It reads and
// writes no file.

import type { NginxInput } from "./nginx-input.ts";
import { nginxView } from "./nginx-view.ts";
import type { Templates } from "./templates.ts";

/** A rendered nginx.conf. */
export interface RenderedNginx {
  readonly text: string;
  /** Listeners in `text`, the probe socket not counted. */
  readonly listeners: number;
}

/** Renders nginx.conf. The same input in any order gives the same text. */
export function renderNginx(input: NginxInput & { readonly templates: Templates }): RenderedNginx {
  const view = nginxView(input);
  return {
    text: input.templates.nginx(view),
    listeners:
      view.proxied.length +
      view.refusing.length +
      view.placed.groups.reduce((sum, { listens }) => sum + listens.length, 0),
  };
}

// Node plan to keepalived.conf: view, template, and what the agent must know of the result. Also
// reads a text back, so that a file is counted before it is handed to the daemon.

import { type LaneAnchor, type LaneTrackFile, laneAnchor, laneTrackFile } from "./lane-names.ts";
import { type KeepalivedInput, keepalivedView } from "./keepalived-view.ts";
import type { Templates } from "./templates.ts";

/** A rendered keepalived.conf. */
export interface RenderedKeepalived {
  readonly text: string;
  /** VIPs in `text`, anchors not counted. A file with another number must not be handed over. */
  readonly vipCount: number;
  /** The addresses that keepalived adds besides the VIPs, one a lane. */
  readonly anchors: readonly LaneAnchor[];
  /** The files that take a lane off this host, one a lane. keepalived makes absent ones with 0. */
  readonly trackFiles: readonly LaneTrackFile[];
}

/** Renders keepalived.conf. The same input in any order gives the same text. */
export function renderKeepalived(
  input: KeepalivedInput & { readonly templates: Templates },
): RenderedKeepalived {
  const view = keepalivedView(input);
  const lanes = input.lanes;
  return {
    text: input.templates.keepalived(view),
    vipCount: view.instances.reduce((sum, instance) => sum + instance.vips.length, 0),
    anchors: lanes.map(laneAnchor),
    trackFiles: lanes.map((lane) => laneTrackFile(input.paths.trackDir, lane)),
  };
}

/**
 * Counts the VIPs that a text really lists, by the text alone. An empty or cut file passes
 * keepalived's own check and drops every VIP: compare with the plan before a swap.
 */
export function countVips(text: string): number {
  let count = 0;
  let inside = false;
  for (const line of text.split("\n")) {
    const words = line.trim();
    if (words === "virtual_ipaddress_excluded {") inside = true;
    else if (words === "}") inside = false;
    else if (inside && words !== "") count++;
  }
  return count;
}

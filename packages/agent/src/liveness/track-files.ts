// The files that take lanes off this host: one for each lane, by the controller's wish, and one for
// all of them, by the state of the data path. Given what shall stand in them; written in place, as
// keepalived watches the files that it opened. It writes only what differs.

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";

import type { LaneResource } from "@fairlead/model";
import { laneTrackFile } from "@fairlead/render";

import type { DataPlaneLayout } from "../data-plane-layout.ts";

/** The track files of one run directory. Rejects with the file system's error. */
export interface TrackFiles {
  /** Writes for each lane whether it is given up. */
  lanes(lanes: readonly LaneResource[]): Promise<void>;
  /** Whether the data path is said to be down. The supervisor's scripts say it too. */
  isDown(): boolean;
  /** Writes whether it is. */
  setDown(isDown: boolean): Promise<void>;
}

/** Makes them; nothing is read or written before a call. */
export function createTrackFiles({ keepalived }: Pick<DataPlaneLayout, "keepalived">): TrackFiles {
  // What this life of the agent wrote or found. A withdrawal writes into the same files, and an
  // unchanged wish must not take it back.
  const known = new Map<string, string>();
  return {
    lanes: async (lanes) => {
      for (const lane of lanes) {
        const { path } = laneTrackFile(keepalived.trackDir, lane);
        const isGivenUp = lane.yields === true;
        const value = valueOf(isGivenUp);
        const before = known.get(path) ?? valueNow(path);
        if (before !== value) await writeTrack(path, isGivenUp);
        known.set(path, value);
      }
    },
    // Ten times a second: a wait for the thread pool would cost more than the read.
    isDown: () => valueNow(keepalived.dataPath) === "1",
    setDown: (isDown) => writeTrack(keepalived.dataPath, isDown),
  };
}

/** The track files of the lanes that are given up. */
export function yieldingFiles(
  { keepalived }: Pick<DataPlaneLayout, "keepalived">,
  lanes: readonly LaneResource[],
): ReadonlySet<string> {
  const yielding = lanes.filter((lane) => lane.yields === true);
  return new Set(yielding.map((lane) => laneTrackFile(keepalived.trackDir, lane).path));
}

/** Writes whether what follows this file is given up. Rejects with the file system's error. */
export async function writeTrack(path: string, isGivenUp: boolean): Promise<void> {
  await writeFile(path, `${valueOf(isGivenUp)}\n`);
}

function valueOf(isGivenUp: boolean): string {
  return isGivenUp ? "1" : "0";
}

/** keepalived makes an absent file with 0. */
function valueNow(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "0";
  }
}

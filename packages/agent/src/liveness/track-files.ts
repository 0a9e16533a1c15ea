// The files that take lanes off this host: one for each lane, by the controller's wish or because
// nobody hears the host, and one for all of them by the state of the data path, or of its part for
// UDP. One writer each in a running agent: what one reason puts in, another does not take out.
// Written in place, as keepalived watches the files that it opened; only what differs is written.

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";

import type { LaneResource } from "@fairlead/model";
import { createTurns } from "@fairlead/runtime";
import { laneTrackFile } from "@fairlead/render";

import type { DataPlaneLayout } from "../data-plane-layout.ts";

/** The track files of one run directory. Rejects with the file system's error. */
export interface TrackFiles {
  /** Takes in what the controller wishes of each of these lanes. */
  wish(lanes: readonly LaneResource[]): Promise<void>;
  /**
   * Takes in whether nobody hears this host in each of these lanes, so that others have to hold
   * it. Of any other lane nothing is known any more.
   */
  mute(lanes: readonly LaneResource[], isMute: (lane: LaneResource) => boolean): Promise<void>;
}

/** The track file of an instance of nginx. */
export interface DownFile {
  /** Whether the instance is said to be down. The supervisor's scripts say it too. */
  isDown(): boolean;
  /** Writes whether it is. Rejects with the file system's error. */
  setDown(isDown: boolean): Promise<void>;
}

/** Makes it; nothing is read or written before a call. */
export function createDownFile(path: string): DownFile {
  return {
    // Five times a second: a wait for the thread pool would cost more than the read.
    isDown: () => valueNow(path) === "1",
    setDown: (isDown) => writeTrack(path, isDown),
  };
}

/** The track files of both instances. */
export function createDownFiles({ keepalived }: Pick<DataPlaneLayout, "keepalived">): {
  readonly nginx: DownFile;
  readonly nginxUdp: DownFile;
} {
  const { dataPath, dataPathUdp } = keepalived;
  return { nginx: createDownFile(dataPath), nginxUdp: createDownFile(dataPathUdp) };
}

/** Makes them; nothing is read or written before a call. */
export function createTrackFiles({ keepalived }: Pick<DataPlaneLayout, "keepalived">): TrackFiles {
  // What this life of the agent wrote or found. A withdrawal writes into the same files, and an
  // unchanged wish must not take it back.
  const known = new Map<string, string>();
  const wished = new Set<string>();
  /** With those that are heard again and whose files could not be written yet. */
  let muted: ReadonlySet<string> = new Set();
  const inTurn = createTurns();
  const pathOf = (lane: LaneResource): string => laneTrackFile(keepalived.trackDir, lane).path;
  const write = async (path: string, isGivenUp: boolean): Promise<void> => {
    const value = valueOf(isGivenUp);
    const before = known.get(path) ?? valueNow(path);
    if (before !== value) await writeTrack(path, isGivenUp);
    known.set(path, value);
  };
  return {
    wish: (lanes) =>
      inTurn(async () => {
        for (const lane of lanes) {
          const path = pathOf(lane);
          if (lane.yields === true) wished.add(path);
          else wished.delete(path);
          await write(path, wished.has(path) || muted.has(path));
        }
      }),
    mute: (lanes, isMute) =>
      inTurn(async () => {
        const paths = lanes.map(pathOf);
        const now = new Set(lanes.filter(isMute).map(pathOf));
        const left = new Set(paths.filter((path) => now.has(path) || muted.has(path)));
        muted = left;
        // What is not known to differ may be somebody else's, as a withdrawal's.
        for (const path of left) {
          await write(path, wished.has(path) || now.has(path));
          if (!now.has(path)) left.delete(path);
        }
      }),
  };
}

/** The track files of these lanes. */
export function laneFiles(
  { keepalived }: Pick<DataPlaneLayout, "keepalived">,
  lanes: readonly LaneResource[],
): ReadonlySet<string> {
  return new Set(lanes.map((lane) => laneTrackFile(keepalived.trackDir, lane).path));
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

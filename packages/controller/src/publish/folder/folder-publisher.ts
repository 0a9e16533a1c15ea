// Publishes verdicts and findings beside a folder of manifests, in its `.status` folder. What
// cannot be written is told with every publication; who asked says it once and tries again. While
// another controller speaks the files stay, as a lost store is made anew from them, and one more
// says that they are old.

import { join } from "node:path";

import { createTurns } from "@fairlead/runtime";

import { STATUS_FOLDER, statusFileName } from "../../folder/own-status.ts";
import type { Publication, Publisher } from "../../ports.ts";
import { createStatusFiles } from "./status-files.ts";
import {
  FINDINGS_FILE,
  findingsText,
  STANDBY_FILE,
  standbyText,
  statusText,
} from "./status-text.ts";

/** What is published to. */
export interface FolderPublisherOptions {
  /** The folder of manifests; it must exist. */
  readonly folder: string;
  /** This controller in the election. */
  readonly identity: string;
}

/** Makes the publisher; nothing is touched before `publish`. */
export function createFolderPublisher(
  options: FolderPublisherOptions,
): Publisher & AsyncDisposable {
  const files = createStatusFiles(join(options.folder, STATUS_FOLDER));
  const inTurn = createTurns();
  return {
    name: "folder",
    publish: (publication) => inTurn(() => files.replace(statusTexts(publication))),
    pause: () => {
      // A folder that cannot be written was told before, or is by its source.
      inTurn(() => files.leave(STANDBY_FILE, standbyText(options.identity))).catch(() => undefined);
    },
    [Symbol.asyncDispose]: () => inTurn(() => Promise.resolve()),
  };
}

/** The files of a publication by name. */
export function statusTexts({
  claims,
  verdicts,
  findings,
}: Publication): ReadonlyMap<string, string> {
  const texts = new Map<string, string>([[FINDINGS_FILE, findingsText(findings)]]);
  for (const [id, verdict] of verdicts) {
    const claim = claims.get(id);
    // A claim that went since the plan was made has no status any more.
    if (claim !== undefined) texts.set(statusFileName(claim), statusText(claim, verdict));
  }
  return texts;
}

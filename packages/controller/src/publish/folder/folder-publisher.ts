// Publishes verdicts and findings beside a folder of manifests, in its `.status` folder. What
// cannot be written is told with every publication; who asked says it once and tries again.

import { join } from "node:path";

import { STATUS_FOLDER, statusFileName } from "../../folder/own-status.ts";
import type { Publication, Publisher } from "../../ports.ts";
import { createStatusFiles } from "./status-files.ts";
import { FINDINGS_FILE, findingsText, statusText } from "./status-text.ts";

/** What is published to. */
export interface FolderPublisherOptions {
  /** The folder of manifests; it must exist. */
  readonly folder: string;
}

/** Makes the publisher; nothing is touched before `publish`. */
export function createFolderPublisher(options: FolderPublisherOptions): Publisher {
  const files = createStatusFiles(join(options.folder, STATUS_FOLDER));
  return {
    name: "folder",
    publish: (publication) => files.replace(statusTexts(publication)),
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

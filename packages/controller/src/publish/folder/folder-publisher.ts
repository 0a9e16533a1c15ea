// Publishes verdicts and findings beside a folder of manifests, in its `.status` folder. A folder
// that cannot be written is told once, not with every publication, and stops nothing.

import { join } from "node:path";

import { isEdgeError } from "@fairlead/runtime";

import type { Publication, Publisher } from "../../ports.ts";
import { createStatusFiles } from "./status-files.ts";
import { FINDINGS_FILE, findingsText, statusFileName, statusText } from "./status-text.ts";

/** Folder of status files, below the folder of manifests. */
export const STATUS_FOLDER = ".status";

/** What is published to. */
export interface FolderPublisherOptions {
  /** The folder of manifests; it must exist. */
  readonly folder: string;
}

/**
 * Makes the publisher. Its `publish` rejects with an EdgeError when something could not be
 * written, and then resolves for as long as trouble of the same code goes on; every publication
 * tries again.
 */
export function createFolderPublisher(options: FolderPublisherOptions): Publisher {
  const files = createStatusFiles(join(options.folder, STATUS_FOLDER));
  let lastTrouble: string | undefined;
  return {
    name: "folder",
    publish: async (publication) => {
      try {
        await files.replace(textsOf(publication));
        lastTrouble = undefined;
      } catch (error) {
        if (isEdgeError(error) && error.code === lastTrouble) return;
        lastTrouble = isEdgeError(error) ? error.code : undefined;
        throw error;
      }
    },
  };
}

function textsOf({ claims, verdicts, findings }: Publication): ReadonlyMap<string, string> {
  const texts = new Map<string, string>([[FINDINGS_FILE, findingsText(findings)]]);
  for (const [id, verdict] of verdicts) {
    const claim = claims.get(id);
    // A claim that went since the plan was made has no status any more.
    if (claim !== undefined) texts.set(statusFileName(claim), statusText(claim, verdict));
  }
  return texts;
}

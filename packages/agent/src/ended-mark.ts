// Notes that everything of a run directory was ended on purpose: who ends it once more must not
// take from the host what is another agent's by now. An agent that starts there takes it away.

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { writeFileDurably } from "@fairlead/runtime";

/** Nothing of the run directory runs any more, nor is on the host. */
export async function markEnded(runDir: string): Promise<void> {
  await writeFileDurably(markOf(runDir), "", { mode: 0o644 });
}

/** An agent is about to start there. */
export async function unmarkEnded(runDir: string): Promise<void> {
  await rm(markOf(runDir), { force: true });
}

/** Whether it was ended, and no agent started since. */
export function isMarkedEnded(runDir: string): boolean {
  return existsSync(markOf(runDir));
}

function markOf(runDir: string): string {
  return join(runDir, "ended");
}

// Whose agent a `stop` is for: whether one or its data plane is in the run directory, and where its
// ledger is. Files are read alone. Whoever names a wrong folder must be told so before anything is
// touched: tables and routes are the host's, and another agent's traffic may need them.

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

import { EdgeError } from "@fairlead/runtime";

import { agentPidFile } from "./agent-pid.ts";
import { livingProcess } from "./pid-file.ts";
import { dataPlaneLayout } from "./data-plane-layout.ts";
import { isMarkedEnded } from "./ended-mark.ts";

/** The folders that a `stop` was given. */
export interface StopFolders {
  readonly runDir: string;
  readonly stateDir: string;
}

/** What is there. */
export interface StopPlaces {
  readonly pidFile: string;
  /** Its agent's ledger; where it never had a plan there is no file. */
  readonly ledgerPath: string;
  /** Everything of the run directory was ended before, and no agent was started since. */
  readonly isEnded: boolean;
}

/** Why a `stop` does nothing. */
export type StopPlacesErrorCode = "NO_AGENT" | "NO_LEDGER";

/** Finds the agent. Rejects with EdgeError<StopPlacesErrorCode> where the folders are not its. */
export async function findStopPlaces({ runDir, stateDir }: StopFolders): Promise<StopPlaces> {
  const { serviceDir, keepalived, nginx, nginxUdp } = dataPlaneLayout(runDir);
  const pidFile = agentPidFile(runDir);
  if (!existsSync(pidFile) && !existsSync(serviceDir)) {
    throw refused("NO_AGENT", `no agent and no data plane is in ${runDir}: --run-dir names it`);
  }
  const ledgerPath = newestOf([join(stateDir, "ledger"), join(stateDir, "agent", "ledger")]);
  // A keepalived without lanes has no file any more; which process it was stays written down.
  const hadPlan = [keepalived, nginx, nginxUdp].some(
    ({ config, incarnation }) => existsSync(config) || existsSync(incarnation),
  );
  if (hadPlan && !existsSync(ledgerPath)) {
    const where = `${stateDir}, nor in ${stateDir}/agent as fairlead run keeps it`;
    const words = `what the agent of ${runDir} holds is not known: no ledger is in ${where}`;
    throw refused("NO_LEDGER", `${words}: --state-dir names it`);
  }
  const isEnded = isMarkedEnded(runDir) && (await livingProcess(pidFile)) === undefined;
  return { pidFile, ledgerPath, isEnded };
}

/** The one that was written last: of the agent that ran last. The first where there is none. */
function newestOf(paths: readonly [string, string]): string {
  const writtenMs = (path: string): number =>
    statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const [first, second] = paths;
  return writtenMs(second) > writtenMs(first) ? second : first;
}

function refused(code: StopPlacesErrorCode, message: string): EdgeError<StopPlacesErrorCode> {
  return new EdgeError({ code, message: `${message}; nothing was touched`, retryable: false });
}

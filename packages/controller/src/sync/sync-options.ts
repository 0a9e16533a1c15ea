// What the server of all agents' streams is made of. Types only: whoever wires it gives them.

import type { Clock, Logger } from "@fairlead/runtime";
import type { Revisions } from "@fairlead/wire";

import type { Fact } from "../facts.ts";
import type { SyncMetrics } from "./sync-metrics.ts";

/** What the server needs. */
export interface SyncServerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly revisions: Revisions;
  readonly emit: (facts: readonly Fact[]) => void;
  /** Version of the controller, told to agents. */
  readonly version: string;
  /** Default: nothing is counted. */
  readonly metrics?: SyncMetrics;
  /** Default 3 000 ms. After three of them without a word an agent's stream is ended. */
  readonly heartbeatIntervalMs?: number;
}

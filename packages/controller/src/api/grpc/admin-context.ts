// What questions are answered from: what the loop and the streams know at one moment. Values and
// lookups only; whoever answers changes nothing.

import type { AgentName } from "@fairlead/model";

import type { CycleView } from "../../cycle-view.ts";
import type { ServiceBook } from "../../kube/service-record.ts";
import type { SyncState } from "../../ports.ts";

/** Everything that is known at one moment. */
export interface AdminContext {
  /** Wall clock, epoch ms: ages are counted from it. */
  readonly nowMs: number;
  /** How long the controller runs, in ms. */
  readonly uptimeMs: number;
  readonly version: string;
  readonly view: CycleView;
  readonly syncState: (agent: AgentName) => SyncState;
  /** Services as the cluster has them; absent where Services come from elsewhere. */
  readonly services?: Pick<ServiceBook, "get">;
}

// What a test may make fail on a fake host. Types only.

import type { Remark } from "@fairlead/model";

/** What a test may make fail; each call asks anew. */
export interface FakeFailures {
  /** Whether this call of a port fails: "kernel.view", "nginx.apply", "ledger.save". */
  readonly failing: (call: string) => boolean;
  /** Why nginx refuses a file with this text; undefined accepts it. */
  readonly nginxRefuses?: (text: string) => Remark | undefined;
  /** Why a port is taken. */
  readonly portTaken?: (endpoint: string) => Remark | undefined;
}

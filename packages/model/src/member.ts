// A member: one upstream endpoint of a listener.

import type { Address } from "./address.ts";

/**
 * `active` gets connections; `draining` keeps the old ones and gets no new ones. What ends and
 * still serves drains only while another one is there: a source says `active` of the last ones.
 */
export type MemberState = "active" | "draining";

/** One upstream endpoint. Ordered by address, then port, wherever members are listed. */
export interface Member {
  readonly address: Address;
  /** 1 to 65535. */
  readonly port: number;
  /** Share of the traffic, 1 to 256; 1 by default. */
  readonly weight: number;
  readonly state: MemberState;
}

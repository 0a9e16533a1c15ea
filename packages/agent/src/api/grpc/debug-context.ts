// What questions are answered from: what the loop shows of itself at one moment, and the files on
// the disk, and who asks the segment. Whoever answers changes nothing.

import { REASONS, type Remark } from "@fairlead/model";
import type { ServiceRanges } from "@fairlead/render";
import type { GetObservedResponseSchema, MessageInitShape } from "@fairlead/wire";

import type { ConvergeView } from "../../converge-view.ts";
import type { MemberFlows, MemberTableView, RenderedFile, SegmentAsker } from "../../ports.ts";

/** Everything that is known at one moment. */
export interface DebugContext {
  /** Monotonic ms: ages are counted from it. */
  readonly nowMs: number;
  readonly view: ConvergeView;
  readonly files: () => Promise<readonly RenderedFile[]>;
  readonly segment: SegmentAsker;
  /** Absent: members stand in nginx's file. */
  readonly members?: ShownMembers;
}

/** The kernel's table of members, and what is connected to them. */
export interface ShownMembers {
  readonly table: MemberTableView;
  readonly flows: Pick<MemberFlows, "list">;
  /** Where its service addresses come from. */
  readonly ranges: ServiceRanges;
}

/** A remark as the contract has it. */
export type TroubleInit = NonNullable<
  MessageInitShape<typeof GetObservedResponseSchema>["troubles"]
>[number];

/** A remark with its code. */
export function troubleRow({ reason, detail }: Remark): TroubleInit {
  return { reason, code: REASONS[reason].code, detail };
}

/** Milliseconds as whole and not negative ones. */
export function wholeMs(ms: number): bigint {
  return BigInt(Math.max(0, Math.round(ms)));
}

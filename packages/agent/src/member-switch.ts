// Decides whether members stand in the kernel's table or in nginx's file. Given what was asked for
// and how the table is made. What is no word about this host's kernel it must pass on: an agent
// that fell back for it would reload nginx at each change of a member, and nobody knew why.

import { type Logger, describeError, isEdgeError } from "@fairlead/runtime";

import type { AgentSettings } from "./settings.ts";

/** What is decided, and by what. */
export interface MemberSwitchOptions<Table> {
  readonly asked: AgentSettings["memberSwitch"];
  /** Makes the table; rejects with code NFT or ROUTE where the host cannot have it. */
  readonly make: () => Promise<Table>;
  readonly log: Pick<Logger, "warn">;
}

/**
 * The kernel's table; undefined: members stand in nginx's file, as was asked for or as there is no
 * other way, which is logged. Rejects with what `make` says, where only the table will do.
 */
export async function memberTableOr<Table>(
  options: MemberSwitchOptions<Table>,
): Promise<Table | undefined> {
  const { asked, make, log } = options;
  if (asked === "nginx") return undefined;
  try {
    return await make();
  } catch (error) {
    const isUnable = isEdgeError(error, "NFT") || isEdgeError(error, "ROUTE");
    if (asked === "kernel" || !isUnable) throw error;
    const why = describeError(error);
    log.warn({ why }, "members stand in nginx's file: each of their changes is a reload");
    return undefined;
  }
}

// What the key of the leader says, as text and back. Pure. Whatever else stands there is somebody's
// whom we do not know, and who leads until the key is gone.

import { z } from "zod";

/** Who leads, and the lease of etcd that the key ends with. */
export interface LeaderKey {
  readonly holder: string;
  readonly lease: string;
}

const LEADER: z.ZodType<LeaderKey> = z.object({ holder: z.string(), lease: z.string() });
const UNKNOWN: LeaderKey = { holder: "somebody who left no name", lease: "0" };

/** The key's text. */
export function formatLeader({ holder, lease }: LeaderKey): string {
  return JSON.stringify({ holder, lease });
}

/** Reads it. */
export function readLeader(text: string): LeaderKey {
  try {
    return LEADER.parse(JSON.parse(text));
  } catch {
    return UNKNOWN;
  }
}

// The rows of the table of reasons about the daemons and the kernel of an agent's host. They stand
// apart for the table's length alone.

import type { ReasonEntry } from "./reason-table.ts";

/** Rows of `REASONS`. */
export const DATA_PLANE_REASONS: Readonly<Record<"DataPlaneDown" | "InputUnguarded", ReasonEntry>> =
  {
    DataPlaneDown: {
      code: "FL0411",
      title: "A daemon of the agent's data plane is not running.",
      remedy: "Read the daemon's log below the agent's run directory.",
    },
    InputUnguarded: {
      code: "FL0425",
      title: "Services of an agent's host may answer on its VIPs: the input guard is not in force.",
      remedy:
        "Install nft on the host, and look that its kernel has nftables and the agent NET_ADMIN.",
    },
  };

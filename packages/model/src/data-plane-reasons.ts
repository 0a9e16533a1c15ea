// The rows of the table of reasons about the daemons and the kernel of an agent's host. They stand
// apart for the table's length alone.

import type { ReasonEntry } from "./reason-table.ts";

/** Rows of `REASONS`. */
export const DATA_PLANE_REASONS: Readonly<
  Record<"DataPlaneDown" | "InputUnguarded" | "ListenerFull", ReasonEntry>
> = {
  DataPlaneDown: {
    code: "FL0411",
    title: "A part of the agent's data plane does not work.",
    remedy: "Read its words: what to mend, or whose log below the agent's run directory to read.",
  },
  InputUnguarded: {
    code: "FL0425",
    title: "Services of an agent's host may answer on its VIPs: the input guard is not in force.",
    remedy:
      "Install nft on the host, and look that its kernel has nftables and the agent NET_ADMIN.",
  },
  ListenerFull: {
    code: "FL0426",
    title: "A listener over UDP has as many sessions as it may; further clients get no answer.",
    remedy:
      "Allow it more with the annotation fairlead.io/max-connections, or keep strangers away " +
      "by a firewall in front of it.",
  },
};

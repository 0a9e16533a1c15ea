// Reasons about an IPAM elsewhere that a pool takes its addresses from: a part of the table of
// reasons, which is exported there. Values alone.

import type { ReasonEntry } from "./reason-table.ts";

/** Reasons that follow from what an IPAM answers, or that it does not. */
export const IPAM_REASONS: Readonly<
  Record<"WaitsForIpam" | "IpamUnreachable" | "IpamRefused" | "RegistrationLost", ReasonEntry>
> = {
  WaitsForIpam: {
    code: "FL0212",
    title: "The IPAM of an external pool is asked for an address and has not answered yet.",
    remedy: "Wait a moment; the reason changes when the IPAM cannot be reached or refuses.",
  },
  IpamUnreachable: {
    code: "FL0213",
    title: "The IPAM of an external pool cannot be asked; what it gave stays in use.",
    remedy: "See to the IPAM and to the way there; it is asked again and again by itself.",
  },
  IpamRefused: {
    code: "FL0214",
    title: "The IPAM of an external pool gives no address that can be used.",
    remedy: "Correct there what the detail says; it is asked again and again by itself.",
  },
  RegistrationLost: {
    code: "FL0215",
    title: "The IPAM of an external pool has given an address that is held to somebody else.",
    remedy: "Take it from the other one there, or set onShrink: reassign to leave it to him.",
  },
};

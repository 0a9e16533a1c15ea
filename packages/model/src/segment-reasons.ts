// Reasons about what hosts of one segment notice of each other: a part of the table of reasons,
// which is exported there. Values alone.

import type { ReasonEntry } from "./reason-table.ts";

/** Reasons that follow from what agents see and hear of others. */
export const SEGMENT_REASONS: Readonly<
  Record<"HolderUnseen" | "HolderWrong" | "PeersUnheard", ReasonEntry>
> = {
  HolderUnseen: {
    code: "FL0421",
    title: "No other host sees the holder answer for the address.",
    remedy: "Check that ARP and neighbour discovery for the address pass between the hosts.",
  },
  HolderWrong: {
    code: "FL0422",
    title: "Another host than the holder answers for the address on its segment.",
    remedy: "Find the host by its MAC address and take the address from it.",
  },
  PeersUnheard: {
    code: "FL0423",
    title: "An agent does not hear the adverts of a lane's holder, although that answers it.",
    remedy: "Let IP protocol 112 pass between the two, in their firewalls and in the switch.",
  },
};

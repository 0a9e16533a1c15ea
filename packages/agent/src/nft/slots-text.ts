// Reads what nft says of the maps of slots. Pure. A line that is none of an element is left out.

import { parseAddress } from "@fairlead/model";

import type { TableSlot } from "../member-ports.ts";

/**
 * `198.18.1.0 . tcp . 1 : 10.0.0.1 . 8080`, several of them on a line; of a slot that the kernel
 * chooses, which is TCP's and counted from 0, `198.18.1.0 . 0 : 10.0.0.1 . 8080`.
 */
const ELEMENT =
  /([0-9a-f.:]+) \. (?:(tcp|udp|6|17) \. )?(\d{1,5}) : ([0-9a-f.:]+) \. (\d{1,5})(?=[,\s}]|$)/g;

/** The slots in a listing of maps, in its order. */
export function slotsFromText(text: string): readonly TableSlot[] {
  const slots: TableSlot[] = [];
  for (const [, from = "", protocol, slot, to = "", port] of text.matchAll(ELEMENT)) {
    const [service, member] = [parseAddress(from), parseAddress(to)];
    if (service === undefined || member === undefined) continue;
    slots.push({
      service,
      protocol: protocol === "udp" || protocol === "17" ? "udp" : "tcp",
      slot: Number(slot) + (protocol === undefined ? 1 : 0),
      member,
      memberPort: Number(port),
    });
  }
  return slots;
}

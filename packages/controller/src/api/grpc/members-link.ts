// The link of a claim's members. Pure. No members is doubt and never a broken link: the address
// is served all the same, and the members are their owner's.

import { type Claim, portText, type Verdict } from "@fairlead/model";

import type { AdminContext } from "./admin-context.ts";
import { type Link, link } from "./chain.ts";
import { activeMembers } from "./claim-row.ts";
import { remarkAt } from "./reason-links.ts";

/** How many members each port has that get connections. */
export function membersLink(
  { view }: AdminContext,
  { listeners }: Claim,
  { main, remarks }: Verdict,
): Link {
  const counts = listeners.map(
    (listener) => `${portText(listener)} has ${activeMembers(view, listener).length}`,
  );
  const remark = remarkAt([main, ...remarks], "Members");
  if (remark !== undefined) {
    return link("Members", "doubt", remark.detail, { reason: remark.reason });
  }
  if (counts.length === 0) return link("Members", "unknown", "there is no port to have members");
  return link("Members", "good", counts.join(", "));
}

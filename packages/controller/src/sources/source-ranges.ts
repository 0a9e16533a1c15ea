// Reads which clients a Service lets in. Pure. They protect somebody, so that a claim with any is
// refused as long as nothing enforces them; those that let in everybody restrict nobody.

import { type Family, type Prefix, compareText, familyOf, parsePrefix } from "@fairlead/model";

import type { WishText } from "./aliases.ts";
import { quoteList } from "./quote.ts";
import type { RemarkList } from "./remarks.ts";
import type { ServiceObject } from "./service-object.ts";

/** Most client ranges of one Service. */
const RANGES_MAX = 1000;
const BOTH: readonly Family[] = ["ipv4", "ipv6"];

/** Client ranges in canonical text; none when they let in everybody. */
export function readSourceRanges(
  { spec }: ServiceObject,
  wish: WishText | undefined,
  remarks: RemarkList,
): readonly string[] {
  const field = spec.loadBalancerSourceRanges ?? [];
  // The bound keeps a list of a megabyte from being split.
  const listed = wish?.text.split(",", RANGES_MAX + 1) ?? [];
  const count = field.length + listed.length;
  if (count === 0) return [];
  if (count > RANGES_MAX) {
    const detail = `loadBalancerSourceRanges: more than ${RANGES_MAX} ranges, the most that is read`;
    remarks.refuse("BadField", detail);
    return [];
  }
  const texts = [...field, ...listed].map((text) => text.trim());
  const ranges: Prefix[] = [];
  const bad: string[] = [];
  for (const text of texts) {
    const prefix = parsePrefix(text);
    if (prefix.kind === "bad") bad.push(text);
    else ranges.push(prefix.value);
  }
  if (bad.length === 0 && servedFamilies(spec).every((family) => admitsAll(ranges, family))) {
    return [];
  }
  const shown = ranges.map(({ address, length }) => `${address}/${length}`);
  const unique = [...new Set(shown)].toSorted(compareText);
  if (bad.length > 0) {
    remarks.refuse("BadField", `loadBalancerSourceRanges: no CIDR: ${quoteList(bad)}`);
  }
  const limits = unique.length === 0 ? "ranges that do not parse" : quoteList(unique);
  remarks.refuse("SourceRangesNotEnforced", `clients are limited to ${limits}`);
  return unique;
}

/** Families that clients may come by; both where the Service leaves it open. */
function servedFamilies({
  ipFamilies = [],
  ipFamilyPolicy,
}: ServiceObject["spec"]): readonly Family[] {
  const isSingle = (ipFamilyPolicy ?? "SingleStack") === "SingleStack";
  if (!isSingle || ipFamilies.length === 0) return BOTH;
  return ipFamilies.map((family) => (family === "IPv4" ? "ipv4" : "ipv6"));
}

function admitsAll(ranges: readonly Prefix[], family: Family): boolean {
  return ranges.some(({ address, length }) => length === 0 && familyOf(address) === family);
}

// Remarks of one verdict as they are said: each thing once. Given remarks of several stages. Pure.

import type { Remark } from "@fairlead/model";

/** The remarks without those that say the same as `main` or as one before. */
export function withoutRepeats(
  remarks: readonly Remark[],
  main: Remark | undefined,
): readonly Remark[] {
  if (remarks.length === 0) return NO_REMARKS;
  const seen = new Set(main === undefined ? [] : [keyOf(main)]);
  return remarks.filter((remark) => {
    const key = keyOf(remark);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** One for all: of most claims there is nothing to remark. */
const NO_REMARKS: readonly Remark[] = [];

function keyOf({ reason, detail }: Remark): string {
  return `${reason} ${detail}`;
}

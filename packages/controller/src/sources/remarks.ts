// Collects what is wrong with an object while it is translated, by weight: refusals refuse the
// whole claim, remarks are said while serving goes on. Given reasons and details made elsewhere.

import { type Reason, type Remark, compareBy, compareText } from "@fairlead/model";

/** What a translation found so far. */
export interface RemarkList {
  /** The claim is not served at all because of this. */
  refuse(reason: Reason, detail: string): void;
  /** The claim is served, and this is said about it. */
  remark(reason: Reason, detail: string): void;
  /** Both lists, sorted by reason and detail, none twice. */
  result(): { readonly refusals: readonly Remark[]; readonly remarks: readonly Remark[] };
}

/** Makes an empty list. */
export function createRemarkList(): RemarkList {
  const refusals: Remark[] = [];
  const remarks: Remark[] = [];
  return {
    refuse: (reason, detail) => void refusals.push({ reason, detail }),
    remark: (reason, detail) => void remarks.push({ reason, detail }),
    result: () => ({ refusals: sortRemarks(refusals), remarks: sortRemarks(remarks) }),
  };
}

/** One for all: of most objects there is nothing to remark. */
const NOTHING: readonly Remark[] = [];

function sortRemarks(list: readonly Remark[]): readonly Remark[] {
  if (list.length === 0) return NOTHING;
  const byText = compareBy<Remark>(
    (a, b) => compareText(a.reason, b.reason),
    (a, b) => compareText(a.detail, b.detail),
  );
  const sorted = list.toSorted(byText);
  return sorted.filter((remark, index) => {
    const before = sorted[index - 1];
    return before === undefined || byText(before, remark) !== 0;
  });
}

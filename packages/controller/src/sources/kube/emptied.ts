// Says that a cluster which had Services shows none at once, and takes it back. Given counts; what
// is really gone is decided elsewhere, by a second list.

import type { Fact } from "../../facts.ts";

/** A memory of whether it was said. */
export interface Emptied {
  /**
   * The facts to say.
   * @param present Services that the last list had.
   * @param known those and the ones in doubt.
   */
  judge(present: number, known: number): readonly Fact[];
}

/** Makes one that has said nothing. `source` names the source. */
export function createEmptied(source: string): Emptied {
  const subject = { subject: "source", name: source } as const;
  let isSaid = false;
  return {
    judge: (present, known) => {
      const isEmptied = present === 0 && known > 0;
      if (isEmptied === isSaid) return [];
      isSaid = isEmptied;
      if (!isEmptied) return [{ kind: "finding-cleared", source, ...subject }];
      const detail =
        `a whole list has none of the ${known} Services that were there; ` +
        "they stay in force until a second list agrees";
      return [
        { kind: "finding", source, finding: { ...subject, reason: "SourceEmptied", detail } },
      ];
    },
  };
}

// The merge keys (`<<`) of a YAML document, looked at before they are followed. Given a document
// whose aliases are known to lead somewhere and not into themselves. A merge copies what it names,
// and what that merged itself, so that few aliases could make much of a large mapping.

import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, visit } from "yaml";

/** Most characters of one document that are copied by merge keys. */
export const MERGED_MAX = 1_000_000;

/** What is wrong with a document's merge keys. */
export type MergeProblem =
  | { readonly kind: "too-much" }
  /** One names something that is no mapping; where it stands. */
  | { readonly kind: "no-mapping"; readonly offset: number | undefined };

/** Whether a key is a merge key, rather than the text `<<` in quotes. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && typeof key.value === "symbol";
}

/** Finds what is wrong; undefined: nothing. `sources` says what each alias stands for. */
export function findMergeProblem(
  document: Document,
  sources: ReadonlyMap<unknown, Node>,
): MergeProblem | undefined {
  /** Merges by alias so far, in the order of the text. */
  const copies: { readonly at: number; readonly size: number }[] = [];
  let total = 0;
  let problem: MergeProblem | undefined;

  const follow = (node: unknown): unknown => (isAlias(node) ? sources.get(node) : node);

  /** Its own text, and what its merges copy into it each time that it is copied. */
  function sizeOf(node: unknown): number {
    const [from, , to] = rangeOf(node);
    const inside = copies.filter(({ at }) => at >= from && at < to);
    return inside.reduce((sum, { size }) => sum + size, to - from);
  }

  function look(key: unknown, value: unknown): void {
    const [at] = rangeOf(key);
    const followed = follow(value);
    let size = 0;
    for (const item of isSeq(followed) ? followed.items : [followed]) {
      const source = follow(item);
      if (!isMap(source)) {
        problem = { kind: "no-mapping", offset: at };
        return;
      }
      if (isAlias(value) || isAlias(item)) size += sizeOf(source);
      if (total + size > MERGED_MAX) {
        problem = { kind: "too-much" };
        return;
      }
    }
    if (size > 0) copies.push({ at, size });
    total += size;
  }

  visit(document, {
    Pair: (_, { key, value }) => {
      if (isMergeKey(key)) look(key, value);
      return problem === undefined ? undefined : visit.BREAK;
    },
  });
  return problem;
}

function rangeOf(node: unknown): readonly [number, number, number] {
  return (isNode(node) ? node.range : undefined) ?? [0, 0, 0];
}

// How a table of ours in nftables is signed: one set of it holds a number, which every change of
// ours changes in the same transaction. Pure text, the same for every table.

/** The set, of type mark, whose one element signs a transaction of the table's owner. */
export const REVISION_SET = "revision";

/** The signature of a whole table, as a statement inside it. */
export function revisionSet(revision: number): string {
  return `set ${REVISION_SET} { type mark; elements = { ${revision} }; }`;
}

/** The signature of a change, as statements beside the others of its transaction. */
export function revisionChange(table: string, turn: RevisionTurn): string {
  const set = `element inet ${table} ${REVISION_SET}`;
  return `delete ${set} { ${turn.from} }\nadd ${set} { ${turn.to} }`;
}

/** The number that signs the table now, and the one that is to. */
export interface RevisionTurn {
  readonly from: number;
  readonly to: number;
}

/** Takes a table away, whether it is there or not: named first, so that there is one to delete. */
export function withoutTable(table: string): string {
  return `table inet ${table}\ndelete table inet ${table}`;
}

// Rows that are read while another controller leads, so that taking the lead needs no list. Given a
// client. They count only for the very journal that they were read after: whoever replaces that one
// by an epoch of his own knows that nothing was committed since.

import { isDeepStrictEqual } from "node:util";

import type { Clock } from "@fairlead/runtime";

import type { KubeClient } from "../../kube/kube-client.ts";
import { type Journal, readJournal } from "./journal.ts";
import { readRows, type StoredRows } from "./stored-rows.ts";

/** All rows are read again after this many times of what reading them took, and this in ms. */
const AGAIN_TIMES = 20;
const AGAIN_MS_MIN = 5000;

/** Rows that may be known already. */
export interface ReadAhead {
  /** Looks at the journal, and reads rows when it is another one and has come to rest. */
  look(): Promise<void>;
  /** The rows as of that journal, where they are known; and forgets them. */
  take(journal: Journal | undefined): StoredRows | undefined;
}

interface Known {
  readonly journal: Journal;
  readonly rows: StoredRows;
  /** When they may be read again. */
  readonly againMs: number;
}

/** Makes it; nothing is asked before `look`. */
export function createReadAhead(options: {
  readonly client: KubeClient;
  readonly clock: Clock;
}): ReadAhead {
  const { client, clock } = options;
  let known: Known | undefined;
  let seen: Journal | undefined;
  /** Counts takings: what was asked for before one is of no use after it. */
  let taken = 0;

  async function look(): Promise<void> {
    const before = taken;
    const journal = await readJournal(client, "journal");
    if (journal === undefined || isSame(journal, known?.journal)) return;
    const isAtRest = known === undefined || isSame(journal, seen);
    seen = journal;
    const begunMs = clock.nowMs();
    if (!isAtRest || begunMs < (known?.againMs ?? begunMs)) return;
    const rows = await readRows(client);
    const tookMs = clock.nowMs() - begunMs;
    const againMs = begunMs + Math.max(AGAIN_MS_MIN, AGAIN_TIMES * tookMs);
    if (taken === before) known = { journal, rows, againMs };
  }

  return {
    look,
    take: (journal) => {
      const rows = isSame(journal, known?.journal) ? known?.rows : undefined;
      taken += 1;
      [known, seen] = [undefined, undefined];
      return rows;
    },
  };
}

function isSame(a: Journal | undefined, b: Journal | undefined): boolean {
  return a !== undefined && isDeepStrictEqual(a, b);
}

// Commits that come together are written together: all of one tick, and all that come while a
// write is under way. Given who writes; writes follow each other, and each commit gets an answer.

import { setImmediate } from "node:timers/promises";

import { present } from "@fairlead/model";

import type { CommitResult, StoreChange } from "../ports.ts";
import { makeStoreError } from "./store-error.ts";

/** Commits that may wait at once; the loop has one, so more is somebody's mistake. */
const WAITING_MAX = 1000;

/** One commit of a group. */
export interface Commit {
  readonly epoch: number;
  readonly changes: readonly StoreChange[];
}

/** How a group is written. */
export interface GroupCommitOptions {
  /** For people: `the store /var/lib/fairlead/store.db`. */
  readonly name: string;
  /** Writes all of them, or none. Resolves with one result a commit, in their order. */
  readonly write: (batch: readonly Commit[]) => Promise<readonly CommitResult[]>;
  /** Puts things right after a write that failed, and says what the commits are told. */
  readonly onFailed: (error: unknown) => Error;
}

/** The commits of one store. */
export interface GroupCommit {
  /** Rejects with BUSY when too many wait, and with what `onFailed` says. */
  add(commit: Commit): Promise<CommitResult>;
  /** Resolves when all that was added has its answer. */
  settled(): Promise<void>;
}

interface Waiting extends Commit {
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: Error) => void;
}

/** Makes it; nothing waits. */
export function createGroupCommit({ name, write, onFailed }: GroupCommitOptions): GroupCommit {
  let waiting: Waiting[] = [];
  let flushing: Promise<void> | undefined;

  async function flush(): Promise<void> {
    // A turn of the loop, so that all commits of this tick are in one write.
    await setImmediate();
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        const results = await write(batch);
        for (const [index, one] of batch.entries()) {
          one.resolve(present(results[index], "one result a commit"));
        }
      } catch (error) {
        const mapped = onFailed(error);
        for (const one of batch) one.reject(mapped);
      }
    }
    flushing = undefined;
  }

  return {
    add: (commit) => {
      if (waiting.length >= WAITING_MAX) {
        const message = `${name} has ${WAITING_MAX} commits waiting`;
        return Promise.reject(makeStoreError({ code: "BUSY", message }));
      }
      return new Promise((resolve, reject) => {
        waiting.push({ ...commit, resolve, reject });
        flushing ??= flush();
      });
    },
    settled: async () => {
      await flushing;
    },
  };
}

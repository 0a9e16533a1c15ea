// The book of when which hosts were cut off from the others, kept by whoever cuts. Given times on
// the lab's clock. It records what the stage did; what the programs make of it is the judge's.

import { monotonicMs } from "./monotonic.ts";

/**
 * A time in which the named hosts were cut off from all hosts that are not named: two hosts hear
 * each other when both or neither are named in every window.
 */
export interface PartitionWindow {
  readonly hosts: readonly string[];
  /** When the cut began, in milliseconds of the lab's clock. */
  readonly fromMs: number;
  /** When it was healed. Undefined: not yet. */
  readonly toMs: number | undefined;
}

/** Keeps the windows. */
export interface PartitionBook {
  /** All windows so far, in the order in which they began. */
  windows(): readonly PartitionWindow[];
  /** Opens a window now; the returned function closes it and does nothing the second time. */
  open(hosts: readonly string[]): () => void;
}

/** Makes an empty book. */
export function createPartitionBook(): PartitionBook {
  const windows: { hosts: readonly string[]; fromMs: number; toMs: number | undefined }[] = [];
  return {
    windows: () => windows.map((window) => ({ ...window })),
    open: (hosts) => {
      const window = { hosts, fromMs: monotonicMs(), toMs: undefined as number | undefined };
      windows.push(window);
      return () => {
        window.toMs ??= monotonicMs();
      };
    },
  };
}

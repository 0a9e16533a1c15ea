// Does one thing at a time, in the order asked for: two applies to one daemon must never overlap,
// nor two writers of one folder.

/** Runs work after whatever was asked for before has ended, well or not. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** Makes an empty queue. Its length is bounded by its callers, which wait for their own work. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

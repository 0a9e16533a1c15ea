// What is said to processes that hang: their kernel takes it, and they hear it when they go on.
// Given each process by whatever it is known by.

/** Who hangs, and what waits for them. */
export interface Unheard<Process> {
  hang(process: Process): void;
  /** It hears what has come meanwhile, in order. */
  goOn(process: Process): void;
  /** Has it hear this: now, or when it goes on. */
  hear(process: Process | undefined, run: () => void): void;
}

/** Makes it; nobody hangs. */
export function createUnheard<Process>(): Unheard<Process> {
  const waiting = new Map<Process, (() => void)[]>();
  return {
    hang: (process) => void waiting.set(process, waiting.get(process) ?? []),
    goOn: (process) => {
      const unheard = waiting.get(process) ?? [];
      waiting.delete(process);
      for (const run of unheard) run();
    },
    hear: (process, run) => {
      const unheard = process && waiting.get(process);
      if (unheard === undefined) run();
      else unheard.push(run);
    },
  };
}

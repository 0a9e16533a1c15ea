// Standard error as the place of a log: a record is written when it is made, so that nothing is
// lost when the program is killed; but nobody has to read it. Where a terminal is stopped, a pipe
// is full or a disk has no room, records wait in bounded memory, and then are lost and counted.

import { constants, fstatSync, openSync } from "node:fs";
import { performance } from "node:perf_hooks";

import { pino } from "pino";

/** Most bytes of records that wait: the burst of a plan with ten thousand Services is 2 MB. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/** What waits is tried again after this long, in ms, unless the next record comes first. */
const RETRY_MS = 20;
/** A program that ends waits for its reader for so long, in ms. */
const END_MS_MAX = 1000;

/** Where records go: each call gets whole lines, with their line ends. */
export interface LogDestination {
  write(text: string): void;
}

const STDERR = 2;

/**
 * Opens standard error of this process. Writing never throws and never waits, but while the
 * process exits.
 * @param onLost told how many records were lost, once what waited is written.
 */
export function openLogOutput(onLost: (count: number) => void): LogDestination {
  let [lost, endMs] = [0, Number.NEGATIVE_INFINITY];
  let retry: NodeJS.Timeout | undefined;
  const stream = pino.destination({
    fd: neverWaiting(),
    sync: true,
    maxLength: WAITING_BYTES_MAX,
    // Between two tries it stops the whole program.
    retryEAGAIN: () => performance.now() < endMs,
  });
  // Its own flushing does nothing where records are written at once, or tries a full disk for ever.
  const writeWaiting = (): void => void stream.write("");
  stream.on("drop", () => (lost += 1));
  stream.on("error", () => {
    retry ??= setTimeout(() => {
      retry = undefined;
      writeWaiting();
    }, RETRY_MS).unref();
  });
  stream.on("drain", () => {
    if (lost === 0) return;
    const count = lost;
    lost = 0;
    onLost(count);
  });
  process.once("exit", () => {
    endMs = performance.now() + END_MS_MAX;
    writeWaiting();
  });
  return stream;
}

/** A descriptor of standard error on which nobody has to wait for its reader. */
function neverWaiting(): number {
  // Writing a file waits for nobody, and where it goes on is common to all who have it open.
  if (fstatSync(STDERR).isFile()) return STDERR;
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    // One of our own: that it does not wait is nobody else's affair.
    return openSync(`/proc/self/fd/${STDERR}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // A socket, such as journald's, cannot be opened again. Node makes it one that does not wait
    // when it is first looked at.
    void process.stderr;
    return STDERR;
  }
}

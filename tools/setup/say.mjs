// Tells what set-up is doing. Given words and a piece of work; prints one line when it starts,
// one every ten seconds while it lasts, and the time it took when that was over two seconds.
// Everything goes to stderr: stdout belongs to the program that is started in the end.

const QUIET_MS = 2_000;
const REMIND_MS = 10_000;

/**
 * Prints one line of set-up.
 *
 * @param {string} words
 */
export function say(words) {
  process.stderr.write(`set-up: ${words}\n`);
}

/**
 * Does a piece of work and says how long it took. The error of the work is passed on.
 *
 * @template T
 * @param {string} words what is done, as in "install the locked dependencies"
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function timed(words, work) {
  const startMs = performance.now();
  say(words);
  const reminder = setInterval(() => {
    say(`${words}: still at it after ${elapsed(startMs)}`);
  }, REMIND_MS);
  try {
    const result = await work();
    if (performance.now() - startMs > QUIET_MS) say(`${words}: done in ${elapsed(startMs)}`);
    return result;
  } finally {
    clearInterval(reminder);
  }
}

/**
 * @param {number} startMs
 * @returns {string} seconds with one digit, or minutes and seconds
 */
function elapsed(startMs) {
  const seconds = (performance.now() - startMs) / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

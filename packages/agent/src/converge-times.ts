// How often the loop looks, and how soon it does things again. All in milliseconds.

/**
 * A pass starts at least this long after the start of one that made a daemon reload, in ms: each
 * reload may leave a generation of nginx behind, so bursts become one a second.
 */
export const RELOAD_GAP_MS = 1000;
/**
 * And at least this many times as long as its reload took: however slow the host, reloads take a
 * third of its time at most, the rest is for what it serves, and for who makes the changes. What
 * else a pass waits for, such as answers of the segment, costs the host nothing.
 */
export const RELOAD_GAP_TIMES = 3;
/** But no longer than this, in ms: a change waits for it. */
export const RELOAD_GAP_MS_MAX = 5000;
/**
 * What is new in lanes that another agent holds is taken up this long after it came, in ms: its
 * clients wait for the holder, which takes up to 350 ms with its proof, not for those behind it.
 */
export const SUCCESSOR_MS = 500;
/**
 * After a boot of the host the plan from before it is taken up this long after the start, in ms,
 * unless a newer one comes: hosts that boot together by plans of unlike age do not hear each other.
 * A controller that is there sends its plan within a second.
 */
export const OLD_PLAN_MS = 2000;
/** Kernel events of one burst are looked at once, after this quiet, in ms. */
export const LOOK_QUIET_MS = 5;
/** A look is taken at the latest this long after the first event of a burst, in ms. */
export const LOOK_WAIT_MAX_MS = 25;
/** The host is looked at this often when nothing calls for it, in ms. */
export const TICK_MS = 1000;
/** And this often when nothing has happened for so long, in ms. */
export const CALM_TICK_MS = 2000;
export const CALM_AFTER_MS = 10_000;
/** What failed without being a plan's fault is tried again after this long, in ms. */
export const RETRY_MS = 5000;
/** And at the latest after this long, in ms, where its tries are a burden for the host. */
export const RETRY_MS_MAX = 300_000;

// Keeps watch over one stream: says something when nothing else was said, and notices a peer that
// is silent. A connection can be dead without any event, so both sides do this. Given timers; it
// writes and ends nothing by itself.

/** The part of a clock that is needed here. */
export interface HeartbeatClock {
  nowMs(): number;
  setTimer(delayMs: number, run: () => void): { cancel(): void };
}

/** What a watch needs. */
export interface HeartbeatOptions {
  readonly clock: HeartbeatClock;
  readonly intervalMs: number;
  /** Called when nothing was said for `intervalMs`. */
  readonly beat: () => void;
  /** Called once when nothing was heard for three intervals; the watch is over then. */
  readonly onSilence: () => void;
}

/** The watch over one stream; disposing ends it. */
export interface Heartbeat extends Disposable {
  /** The peer said something. */
  heard(): void;
  /** Something was said to the peer. */
  said(): void;
}

/** Intervals without a word after which a peer counts as dead. */
const MISSED_MAX = 3;

/**
 * Timers may run early by as much, in ms: what is due within it is due, or another wake would have
 * to come for it.
 */
const EARLY_MS = 1;

/** Starts a watch. */
export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { clock, intervalMs } = options;
  let heardMs = clock.nowMs();
  let saidMs = heardMs;
  let timer: { cancel(): void } | undefined;
  let isOver = false;

  function arm(): void {
    // What was told may have ended the watch.
    if (isOver) return;
    const dueMs = Math.min(saidMs + intervalMs, heardMs + MISSED_MAX * intervalMs);
    // Never below a millisecond: a timer that fires early would otherwise spin.
    timer = clock.setTimer(Math.max(1, dueMs - clock.nowMs()), wake);
  }

  function wake(): void {
    const nowMs = clock.nowMs();
    if (nowMs + EARLY_MS >= heardMs + MISSED_MAX * intervalMs) {
      isOver = true;
      options.onSilence();
      return;
    }
    if (nowMs + EARLY_MS >= saidMs + intervalMs) {
      saidMs = nowMs;
      options.beat();
    }
    arm();
  }

  arm();
  return {
    heard: () => {
      heardMs = clock.nowMs();
    },
    said: () => {
      saidMs = clock.nowMs();
    },
    [Symbol.dispose]: () => {
      isOver = true;
      timer?.cancel();
    },
  };
}

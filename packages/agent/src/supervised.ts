// What the adapters of single daemons need of the supervisor, as small as they need it. Types
// only: the supervisor's adapter implements them, the daemons' adapters use them.

/** State of a supervised daemon, as its supervisor sees it. */
export interface ServiceState {
  /** Whether it runs now. */
  readonly up: boolean;
  /** Its process id in the supervisor's PID namespace; absent while it is down. */
  readonly pid?: number;
}

/** A moment in a log. Opaque for all but the log itself. */
export interface LogMark {
  readonly inode: bigint;
  readonly offset: number;
}

/** The bounded log of a daemon. */
export interface DaemonLog {
  /** The end of the log now. */
  mark(): Promise<LogMark>;
  /**
   * Whole lines that were written after the mark, oldest first, without the logger's time stamp.
   * At most the last 256 KiB. Also right when the log was rotated meanwhile.
   */
  since(mark: LogMark): Promise<readonly string[]>;
}

/** One daemon under the supervisor. Rejects with EdgeError<SupervisorErrorCode>. */
export interface SupervisedService {
  readonly name: string;
  readonly log: DaemonLog;
  state(): Promise<ServiceState>;
  /** Its state at most this long ago: each fresh one costs a process. */
  recentState(agoMsMax: number): Promise<ServiceState>;
  /** Starts it, now and whenever it dies; resolves when its process runs. Harmless when up. */
  start(): Promise<void>;
  /** Ends it gracefully and keeps it down; resolves when it is gone. Harmless when down. */
  stop(): Promise<void>;
  /** Ends its process gracefully; the supervisor starts it again about a second later. */
  restart(): Promise<void>;
  /** Sends SIGHUP, on which both daemons read their file again. */
  reload(): Promise<void>;
}

/** Why the supervisor could not do something. */
export type SupervisorErrorCode =
  /** No supervisor lives for the service. */
  | "NOT_SUPERVISED"
  /** It did not happen in time. */
  | "DEADLINE"
  /** A program of s6 is missing or failed. */
  | "S6_FAILED"
  /** The run directory cannot be written. */
  | "RUN_DIR";

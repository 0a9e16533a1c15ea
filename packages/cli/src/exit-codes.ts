// Exit codes of the command line: a contract that scripts rely on.

/** What each exit code means. */
export const EXIT: {
  readonly good: 0;
  readonly bad: 1;
  readonly usage: 2;
  readonly unreachable: 3;
  readonly notFound: 4;
  readonly refused: 5;
  readonly interrupted: 130;
} = {
  /** What was asked for is well, or was done. */
  good: 0,
  /** What was asked about is not well. */
  bad: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The controller, or the agent or the store that was asked, cannot be reached. */
  unreachable: 3,
  /** There is nothing of that name. */
  notFound: 4,
  /** The controller refused. */
  refused: 5,
  /** Whoever watched ended it by Ctrl-C; what shells give for that. */
  interrupted: 130,
};

/** One of the exit codes. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 130;

/** The codes in words, for help texts. */
export const EXIT_HELP: string = `Exit codes: 0 good, 1 bad, 2 wrong usage, 3 unreachable,
4 not found, 5 refused, 130 interrupted.`;

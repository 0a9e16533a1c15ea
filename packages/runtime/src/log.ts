// The programs' log: a narrow interface over pino, as JSON (pino's own) or as one readable line a
// record. Given level, format and where to write. Whatever stands in a message or a field, a
// record is one line, and no control character or ANSI escape of a value reaches the terminal.

import { pino } from "pino";
import { describeError } from "./errors.ts";
import { type LogDestination, openLogOutput } from "./log-output.ts";
import { formatLogLine } from "./log-text.ts";

export type { LogDestination };

/** Named values of a record. `error` may hold any thrown value; it is described in one line. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The log as code sees it. Messages are lower case without a full stop; values go in fields. */
export interface Logger {
  /** What only somebody who looks for a fault wants. */
  debug(fields: LogFields, message: string): void;
  /** A change of state that an operator may want to read about. */
  info(fields: LogFields, message: string): void;
  /** Something is wrong, and the program goes on without help. */
  warn(fields: LogFields, message: string): void;
  /** Something is wrong, and somebody has to act. */
  error(fields: LogFields, message: string): void;
  /** A log that adds `fields` to each record. */
  child(fields: LogFields): Logger;
}

/** How much is written, least severe first; "silent" writes nothing. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** How a record looks. */
export type LogFormat = "json" | "text";

/** How a log is made. */
export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Default: standard error, as `log-output.ts` says. */
  readonly destination?: LogDestination;
}

const NOWHERE: LogDestination = { write: () => undefined };

/** Makes the log of a program. */
export function createLogger(options: LoggerOptions): Logger {
  const sayLost = (records: number): void => {
    logger.warn({ records }, "log records were lost: they could not be written in time");
  };
  const isSilent = options.level === "silent";
  const raw = options.destination ?? (isSilent ? NOWHERE : openLogOutput(sayLost));
  const destination =
    options.format === "json"
      ? raw
      : { write: (json: string) => raw.write(`${formatLogLine(json)}\n`) };
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError, error: describeError },
    },
    destination,
  );
  return narrow(logger);
}

function narrow(logger: pino.Logger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => narrow(logger.child(fields)),
  };
}

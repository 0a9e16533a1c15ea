// The error of the outside world, and how any thrown value is put into one line. Given what an
// adapter caught. It must never be used for refusals (those are values) or bugs (those crash).

import { escapeBounded } from "./escape.ts";

/** What an EdgeError says. */
export interface EdgeErrorOptions<Code extends string> {
  /** One of the adapter's closed set of codes, upper case, such as "NO_SPACE". */
  readonly code: Code;
  /** The operation and its object; lower case, no full stop. */
  readonly message: string;
  /** Whether the same call may succeed later with nothing changed by people. */
  readonly retryable: boolean;
  /** What the outside gave, when there was something. */
  readonly cause?: unknown;
}

/**
 * A failure of something outside the program: a file, a process, a peer. An adapter makes it in
 * one mapping function and closes `Code` over its own codes.
 */
export class EdgeError<Code extends string = string> extends Error {
  override readonly name = "EdgeError";
  /** The adapter's word for what failed. */
  readonly code: Code;
  /** Whether the same call may succeed later with nothing changed by people. */
  readonly retryable: boolean;

  constructor(options: EdgeErrorOptions<Code>) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.retryable = options.retryable;
  }
}

/** Whether a thrown value is an EdgeError, and one with `code` when that is given. */
export function isEdgeError<Code extends string = string>(
  error: unknown,
  code?: Code,
): error is EdgeError<Code> {
  return error instanceof EdgeError && (code === undefined || error.code === code);
}

const DESCRIPTION_CHARACTERS_MAX = 600;
const CAUSES_MAX = 5;
const AGGREGATED_MAX = 5;

/**
 * Any thrown value as one line: message, then the causes behind it, each after a colon. Control
 * characters are escaped and the line is at most 600 characters long. Never throws.
 */
export function describeError(error: unknown): string {
  try {
    return escapeBounded(describeChain(error, CAUSES_MAX), DESCRIPTION_CHARACTERS_MAX);
  } catch {
    // A hostile getter or toString; there is nothing more to learn from it.
    return "an error that cannot be described";
  }
}

function describeChain(error: unknown, causesLeft: number): string {
  if (typeof error === "string") return error;
  if (!(error instanceof Error)) return describeOther(error);
  const own = describeOwn(error, causesLeft);
  if (error.cause === undefined || causesLeft === 0) return own;
  const cause = describeChain(error.cause, causesLeft - 1);
  return own.includes(cause) ? own : `${own}: ${cause}`;
}

function describeOwn(error: Error, causesLeft: number): string {
  const isPlain = error.name === "Error" || error.name === "EdgeError";
  const prefix = isPlain ? "" : `${error.name}: `;
  const text = `${prefix}${error.message === "" ? "no message" : error.message}`;
  if (!(error instanceof AggregateError) || causesLeft === 0) return text;
  const parts = error.errors
    .slice(0, AGGREGATED_MAX)
    .map((part: unknown) => describeChain(part, causesLeft - 1));
  const left = error.errors.length - parts.length;
  const rest = left > 0 ? [`${left} more`] : [];
  return `${error.message === "" ? "several errors" : text} (${[...parts, ...rest].join("; ")})`;
}

function describeOther(value: unknown): string {
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return String(value);
}

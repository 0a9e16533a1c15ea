// Assertions for the pure core. They state what must hold for the code to be right; they are
// never used for user input or the outside world. They stay on in production.

/** Raised when the program itself is wrong. The process ends and its supervisor restarts it. */
export class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}

/**
 * States that `condition` holds. A failure is a bug of ours and ends the program.
 * @param message what was expected, lower case, without user text.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Ends every switch over a union: it does not compile when a case is missing. */
export function assertNever(value: never, message: string): never {
  throw new AssertionFailure(`${message}: ${String(value)}`);
}

/** Returns `value`, or ends the program when it is absent, which `message` says cannot be. */
export function present<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) throw new AssertionFailure(message);
  return value;
}

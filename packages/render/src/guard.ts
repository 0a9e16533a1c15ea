// The last gate before a configuration file: every string of a view must be a token of a closed
// grammar. It is given a whole view and never repairs anything: a stranger is a bug of ours.

import { assert } from "@fairlead/model";

/** Generated ids, device names, numbers, decimals, IPv4 addresses, words of the daemons. */
const WORD = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** An IPv6 address as the model writes it. */
const IPV6 = /^[0-9a-f:]{2,39}$/;
/** An address with the length of its network. */
const PREFIX = /^(?:[0-9.]{7,15}|[0-9a-f:]{2,39})\/[0-9]{1,3}$/;
/** An address with a port, IPv6 in brackets. */
const ENDPOINT = /^(?:[0-9.]{7,15}|\[[0-9a-f:]{2,39}\]):[0-9]{1,5}$/;
/** An absolute path without empty, `.` or `..` parts. */
const PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;
/** Longest path that is written; the kernel's own limit for a path is 4096 with its NUL. */
const PATH_LENGTH_MAX = 1024;

/** Whether `text` may stand in a configuration file as it is. */
export function isToken(text: string): boolean {
  if (WORD.test(text) || ENDPOINT.test(text) || PREFIX.test(text)) return true;
  if (text.includes(":")) return IPV6.test(text);
  return text.length <= PATH_LENGTH_MAX && PATH.test(text);
}

/**
 * Asserts that every string below `view` is a token and that every number is a whole one of 0 or
 * more. Anything but objects, lists, strings and numbers is refused too.
 */
export function assertTokens(view: unknown): void {
  if (typeof view === "string") {
    assert(isToken(view), "a value of a view is a token of the closed grammar");
    return;
  }
  if (typeof view === "number") {
    assert(Number.isSafeInteger(view) && view >= 0, "a number of a view is whole and not negative");
    return;
  }
  assert(typeof view === "object" && view !== null, "a view holds objects, lists and scalars only");
  for (const value of Object.values(view)) assertTokens(value);
}

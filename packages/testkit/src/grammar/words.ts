// The words that generated files are made of, as parts of regular expressions. They say the same as
// the guard of render and are written anew, so that a hole in one is seen by the other. Pure.

/** A whole number without a sign. */
export const NUMBER = "\\d{1,10}";
/** An IPv4 or IPv6 address. */
export const ADDRESS = "(?:\\d{1,3}(?:\\.\\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})";
/** An address with the length of its network. */
export const PREFIX: string = `${ADDRESS}/\\d{1,3}`;
/** An address with a port, IPv6 in brackets. */
export const ENDPOINT = "(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[[0-9a-f:]{2,39}\\]):\\d{1,5}";
/** A device. */
export const DEVICE = "[A-Za-z0-9][A-Za-z0-9._-]{0,14}";
/** An absolute path without `..`. */
export const PATH = "(?:/(?!\\.{1,2}(?:/|$))[A-Za-z0-9._-]+)+";

/** A form of these words alone. */
export function words(source: string): RegExp {
  return new RegExp(`^(?:${source})$`);
}

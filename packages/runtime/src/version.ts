// The version of the project, as every program and protocol message says it.

/** The version; the same as in every package.json, which a test checks. */
export const VERSION = "0.1.0";

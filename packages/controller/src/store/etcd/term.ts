// The row of etcd that every write compares and replaces: which term of a controller the store is
// in, and how many writes that term has made. Pure. It fences controllers that were overtaken, and
// tells whether a write without an answer has happened.

import { isEdgeError } from "@fairlead/runtime";
import { z } from "zod";

import { makeStoreError } from "../store-error.ts";

/** The version of the layout of keys and rows. */
const VERSION = 1;

/** A term. No two of them have the same text, also not in stores that were put back. */
export interface Term {
  readonly epoch: number;
  /** Writes of this epoch so far. */
  readonly commit: number;
  /** Made anew at each opening. */
  readonly by: string;
}

const TERM: z.ZodType<Term> = z.strictObject({
  epoch: z.int().nonnegative(),
  commit: z.int().nonnegative(),
  by: z.string(),
});

const VERSIONED = z.object({ version: z.number() });

/** The row's text. */
export function formatTerm({ epoch, commit, by }: Term): string {
  return JSON.stringify({ version: VERSION, epoch, commit, by });
}

/** Reads it. Throws EdgeError CORRUPT or TOO_NEW that names the key. */
export function readTerm(key: string, text: string): Term {
  const damaged = makeStoreError({ code: "CORRUPT", message: `damaged row ${key}: no term` });
  try {
    const value: unknown = JSON.parse(text);
    const { version } = VERSIONED.parse(value);
    if (version > VERSION) {
      const message = `the store at ${key} has version ${version}; this release reads ${VERSION}`;
      throw makeStoreError({ code: "TOO_NEW", message });
    }
    const { version: _version, ...rest } = value as Record<string, unknown>;
    return TERM.parse(rest);
  } catch (error) {
    throw isEdgeError(error) ? error : damaged;
  }
}

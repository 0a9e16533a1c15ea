// The field `external` of a pool: which IPAM its addresses come from. Given written fields; what is
// wrong with them is told, and what a pool with it may not have is told too.

import { type ExternalPool, isLabel } from "@fairlead/model";
import { DURATION_FORMS, parseDuration } from "@fairlead/runtime";
import { z } from "zod";

import { absent } from "../sources/object-metadata.ts";
import { quote } from "../sources/quote.ts";

const URL_CHARACTERS_MAX = 300;
const RENEW_MS_DEFAULT = 300_000;
/** Below a second an IPAM would do nothing but renew. */
const RENEW_MS_MIN = 1000;
/** A day: no IPAM keeps for longer what is not renewed. */
const RENEW_MS_MAX = 86_400_000;

/** The field as written. */
export interface WrittenExternal {
  readonly url: string;
  readonly class: string;
  readonly families?: readonly ("ipv4" | "ipv6")[] | undefined;
  /** A duration: 5m. */
  readonly renew?: string | undefined;
}

/** Its schema; unknown fields are an error. */
export const externalSchema: z.ZodType<WrittenExternal> = z.strictObject({
  url: z.string().max(URL_CHARACTERS_MAX),
  class: z.string(),
  families: absent(
    z
      .array(z.enum(["ipv4", "ipv6"]))
      .min(1)
      .max(2),
  ),
  renew: absent(z.string()),
});

/** Reads the field; what is wrong with it is told to `complain`. */
export function readExternal(
  written: WrittenExternal | undefined,
  complain: (detail: string) => void,
): ExternalPool | undefined {
  if (written === undefined) return undefined;
  const { families = ["ipv4"], class: of, renew } = written;
  const url = readUrl(written.url);
  if (url === undefined) {
    const rule = "expected http://HOST or https://HOST, without user, query and fragment";
    // What may hold a password is not said again.
    const said = written.url.includes("@") ? "" : `${quote(written.url)}: `;
    complain(`external.url: ${said}${rule}`);
  }
  // A uuid is such a label too.
  if (!isLabel(of)) complain(`external.class: ${quote(of)} is no name of a class`);
  if (new Set(families).size < families.length) complain("external.families: one is there twice");
  const renewMs = renew === undefined ? RENEW_MS_DEFAULT : parseDuration(renew);
  if (renewMs === undefined) {
    complain(`external.renew: ${quote(renew ?? "")}: expected ${DURATION_FORMS}, from 1s to 24h`);
  } else if (renewMs < RENEW_MS_MIN || renewMs > RENEW_MS_MAX) {
    complain(`external.renew: ${quote(renew ?? "")}: expected 1s to 24h`);
  }
  if (url === undefined || renewMs === undefined) return undefined;
  return { url, class: of, families, renewMs };
}

/** What every IPAM has below its url; who writes it as well means the same. */
const BASE = "/ipam/v1";

/** The url without a slash and the base at its end; undefined when it is none that is asked. */
function readUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) return undefined;
  const isPlain = [url.username, url.password, url.search, url.hash].every((part) => part === "");
  if (!isPlain) return undefined;
  const whole = `${url.origin}${url.pathname}`.replace(/\/+$/u, "");
  return whole.endsWith(BASE) ? whole.slice(0, -BASE.length) : whole;
}

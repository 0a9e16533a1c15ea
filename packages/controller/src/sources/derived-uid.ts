// The identity of what brings none: derived from what it is called, so that it is the same after
// every restart and in every controller. Pure.

import { createHash } from "node:crypto";

/** A stable uid, formatted like a UUID (version 8, RFC 9562). */
export function derivedUid(key: string): string {
  const hex = createHash("sha256").update(key).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

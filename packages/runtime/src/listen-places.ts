// Whether two places that one program shall listen on are one: it would find itself in its own way,
// and take itself for another program. Pure.

import { isIPv4 } from "node:net";
import { flagOf } from "./setting-names.ts";
import { formatHostPort, type HostPort } from "./host-port.ts";
import type { Complaint } from "./setting-complaint.ts";

/** What is wrong with places together, by the keys of their settings; undefined: not listened. */
export function checkListenPlaces(
  places: Readonly<Record<string, HostPort | undefined>>,
): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const seen: (readonly [key: string, at: HostPort])[] = [];
  for (const [key, at] of Object.entries(places)) {
    if (at === undefined || at.port === 0) continue;
    for (const [other, taken] of seen) {
      if (!areOne(taken, at)) continue;
      const [first, second] = [formatHostPort(taken), formatHostPort(at)];
      complaints.push({
        what: `--${flagOf(other)} and --${flagOf(key)}`,
        why: first === second ? `both are ${first}` : `${first} and ${second} are one port`,
        todo: "give one of them another port",
        code: "ConflictingSettings",
      });
    }
    seen.push([key, at]);
  }
  return complaints;
}

/**
 * `::` and no host take IPv4 as well; names may be any address, and only equal ones are compared.
 */
function areOne(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port) return false;
  const [first, second] = [hostOf(a), hostOf(b)];
  if (first === second || first === "::" || second === "::") return true;
  return isIPv4(first) && isIPv4(second) && [first, second].includes("0.0.0.0");
}

function hostOf({ host }: HostPort): string {
  if (host === "") return "::";
  return host === "localhost" ? "127.0.0.1" : host;
}

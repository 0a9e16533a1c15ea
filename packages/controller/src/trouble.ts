// What an operator reads when the controller cannot start or go on: what, why, what to do, a code.
// Given any thrown value; the adapters' codes are looked up in one table.

import { type EdgeError, describeError, isEdgeError } from "@fairlead/runtime";

/** What to do about each code that can end a controller. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["BUSY", "stop the other controller, or give this one another --state-dir or --store"],
  ["NO_SPACE", "free space on the disk"],
  ["READ_ONLY", "make the file and its folder writable for the controller's user"],
  ["NO_FOLDER", "give another folder with --state-dir or --store"],
  [
    "CORRUPT",
    "nothing was changed; put a copy back, or move what is there away to begin with an empty store",
  ],
  ["TOO_NEW", "run the release that wrote it, or a newer one"],
  ["UNREACHABLE", "look whether it runs, whether a majority is there, and whether it is reached"],
  ["TIMEOUT", "look whether a majority is there and whether its disks are slow"],
  ["FORBIDDEN", "give the user the rights, or name another one; see docs/how-to/stores.md"],
  ["CONFLICT", "look who else writes below the path of the store; only controllers may"],
  ["FENCED", "look which other controller uses the store; only one may"],
  ["PORT_TAKEN", "stop it, or give the flag another place"],
  ["NO_SUCH_ADDRESS", "listen on an address that this host has"],
  ["PERMISSION", "run with the rights that the port or the file needs, or choose another"],
  ["NOT_A_FOLDER", "name an existing folder by --source"],
  ["NOT_FOUND", "name a file that is there"],
  ["UNREADABLE", "name a file that the controller's user may read"],
  ["MALFORMED", "write it anew; kubectl config view --raw --minify --flatten prints a whole one"],
  ["NO_CONTEXT", "name one of its contexts by --context"],
  ["NOT_IN_CLUSTER", "name the cluster by --kubeconfig FILE"],
  ["CREDENTIALS", "renew the credentials that the kubeconfig names"],
]);

const REMEDY_OTHERWISE = "look at the cause; if it is none of yours, report it with this text";

/** One line in four parts. Bugs are told as such. `who` cannot go on: the program, in words. */
export function formatTrouble(error: unknown, who = "the controller"): string {
  const why = describeError(error);
  if (!isEdgeError(error)) {
    return `${who} ended by a mistake of its own: ${why}; ${REMEDY_OTHERWISE} [BUG]`;
  }
  const { code }: EdgeError = error;
  return `${who} cannot go on: ${why}; ${REMEDIES.get(code) ?? REMEDY_OTHERWISE} [${code}]`;
}

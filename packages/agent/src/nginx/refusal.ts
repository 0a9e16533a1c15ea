// What nginx says when it refuses a file, as a remark; without a word of it, or where its host was
// short of something, it refused nothing. Given its words; pure. The words are shortened and
// escaped, so that a log or a table can show them.

import { escapeBounded } from "@fairlead/runtime";

import type { NginxOutcome } from "../ports.ts";

const DETAIL_CHARACTERS_MAX = 1024;
/** `2026/11/21 10:17:53 [emerg] 123#123: ` or `nginx: [emerg] `. */
const PREFIX = /^.*?\[emerg\] (?:\d+#\d+: )?/;
const BIND_FAILED = /^bind\(\) to (\S+) failed \(98: /;
/** It tries to bind five times, half a second apart, and then gives the new file up. */
const GIVEN_UP = /still could not bind\(\)/;
/** A worker in a user namespace has no other groups to set; nginx serves all the same. */
const NOISE = /^initgroups\(/;
/**
 * What a host is short of, whatever the file says: EIO, EAGAIN, ENOMEM, ENFILE, EMFILE, ENOSPC,
 * EROFS, ENOBUFS, EDQUOT.
 */
const SHORTAGE = / failed \((?:5|11|12|23|24|28|30|105|122): /;
/** What an operator may do where nginx has no words for it. */
const ADVICE = "look whether the host is short of processor time or memory";

/** The lines of nginx's words that say why it refused, without time stamps. */
function complaints(lines: readonly string[]): string[] {
  return lines
    .filter((line) => PREFIX.test(line))
    .map((line) => line.replace(PREFIX, ""))
    .filter((line) => !NOISE.test(line));
}

/**
 * Why nginx refused what it was given. Where it has no words for it, or those of a host that is
 * short of something, it did not refuse that: it may go well another time. `otherwise` says what
 * happened where it has no words.
 */
export function nginxRefusal(
  lines: readonly string[],
  otherwise: string,
): Exclude<NginxOutcome, { kind: "applied" }> {
  const words = complaints(lines);
  const taken = words.map((line) => BIND_FAILED.exec(line)?.[1]).find((end) => end !== undefined);
  if (taken !== undefined) {
    const detail = bounded(`${taken} is in use by another process`);
    return { kind: "refused", remark: { reason: "PortTaken", detail } };
  }
  const short = words.find((line) => SHORTAGE.test(line));
  if (short !== undefined) {
    const detail = bounded(`nginx: its host is short of something, and it tries again: ${short}`);
    return { kind: "undecided", remark: { reason: "DataPlaneDown", detail } };
  }
  const why = words.find((line) => !GIVEN_UP.test(line));
  if (why !== undefined) {
    return {
      kind: "refused",
      remark: { reason: "ConfigRejected", detail: bounded(`nginx: ${why}`) },
    };
  }
  const last = lines.at(-1);
  const said = last === undefined ? "it said nothing" : `it said last: ${last}`;
  const detail = bounded(`nginx: ${otherwise}, and is tried again: ${ADVICE}; ${said}`);
  return { kind: "undecided", remark: { reason: "DataPlaneDown", detail } };
}

function bounded(detail: string): string {
  return escapeBounded(detail, DETAIL_CHARACTERS_MAX);
}

/** Whether the words, all from after a signal, say that the new file will never be in force. */
export function saysGivenUp(lines: readonly string[]): boolean {
  const words = complaints(lines);
  if (words.some((line) => GIVEN_UP.test(line))) return true;
  // Any other complaint of the master ends the reload at once; binding alone is tried again.
  return words.some((line) => !BIND_FAILED.test(line) && !line.startsWith("bind()"));
}

// What a warning is about: two of one Service are one Event that repeats when this is the same.
// Pure. Most words are made here, of names and addresses that somebody wrote: others are about
// something else. Words of a daemon, a kernel or an IPAM may have a time, a line or the number of a
// process in them, which makes no other story of it: they would be an Event each time.

import type { Reason, Remark } from "@fairlead/model";

/** Reasons of which the words are somebody else's, in whole or in part. */
const OTHERS_WORDS: ReadonlySet<Reason> = new Set([
  "AddressUnasked",
  "ConfigRejected",
  "DataPlaneDown",
  "DiskUnwritable",
  "InputUnguarded",
  "IpamRefused",
  "IpamUnreachable",
  "PortTaken",
]);
/** What we put before them: `on lb-1: `. */
const WHOSE = /^(?:on|pool) \S+: /u;
const WORD_WITH_DIGIT = /\S*\d\S*/gu;

/** What tells apart warnings of one reason. */
export function eventSubject({ reason, detail }: Remark): string {
  if (!OTHERS_WORDS.has(reason)) return detail;
  const whose = WHOSE.exec(detail)?.[0] ?? "";
  return whose + detail.slice(whose.length).replaceAll(WORD_WITH_DIGIT, "#");
}

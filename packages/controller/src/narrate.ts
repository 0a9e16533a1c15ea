// What a cycle changed, as lines of the log: a claim that became ready, pending or refused, with
// its reason; a remark on it or a finding that came or went. Pure. Nothing that stayed as it was is
// said again.

import {
  type AgentName,
  changedKeys,
  type ClaimId,
  claimTitle,
  compareText,
  type Finding,
  REASONS,
  type Remark,
  type Verdict,
} from "@fairlead/model";

/** One line of the log. */
export interface Narration {
  readonly level: "info" | "warn";
  readonly fields: Readonly<Record<string, string>>;
  readonly message: string;
}

/** What is said of claims and of everything else at one moment. */
export interface Said {
  readonly verdicts: ReadonlyMap<ClaimId, Verdict>;
  readonly findings: readonly Finding[];
}

/** Nothing said yet. */
export const NOTHING_SAID: Said = { verdicts: new Map(), findings: [] };

/**
 * Claims that are ready in the first cycle of a leader have a line each up to so many. More were
 * served before he came, and a thousand lines hold the loop up for half a second.
 */
const FIRST_READY_LINES_MAX = 20;

/** The lines for what differs between two moments, claims first; each is made when it is asked. */
export function* narrate(before: Said, now: Said): Generator<Narration, undefined> {
  const served = before.verdicts.size > 0 ? 0 : countReady(now);
  const isCounted = served > FIRST_READY_LINES_MAX;
  if (isCounted) {
    yield { level: "info", fields: { claims: String(served) }, message: "ready" };
  }
  for (const id of changedKeys(before.verdicts, now.verdicts)) {
    const earlier = before.verdicts.get(id);
    const verdict = now.verdicts.get(id);
    if (verdict === undefined) {
      const fields = { claim: claimTitle(id) };
      yield { level: "info", fields, message: "no longer asked for" };
      continue;
    }
    const isSaid = isSameVerdict(earlier, verdict) || (isCounted && isReady(verdict));
    if (!isSaid) yield verdictLine(verdict);
    yield* remarkLines(earlier, verdict);
  }
  const { came, went } = whatChanged(before.findings, now.findings, {
    all: findingKey,
    thing: ({ subject, name, reason }) => [subject, name, reason].join("\n"),
  });
  for (const finding of came) yield findingLine(finding);
  for (const { subject, name, reason } of went) {
    yield { level: "info", fields: { subject, name, reason }, message: "no longer found" };
  }
}

/**
 * What came, and what went and nothing took its place: other words for the same thing say that it
 * goes on.
 */
function whatChanged<Word>(
  before: readonly Word[],
  now: readonly Word[],
  keys: { readonly all: (word: Word) => string; readonly thing: (word: Word) => string },
): { readonly came: readonly Word[]; readonly went: readonly Word[] } {
  const known = new Set(before.map(keys.all));
  const present = new Set(now.map(keys.all));
  const came = now.filter((word) => !known.has(keys.all(word)));
  const instead = new Map<string, number>();
  for (const word of came) {
    const thing = keys.thing(word);
    instead.set(thing, (instead.get(thing) ?? 0) + 1);
  }
  const went = before.filter((word) => {
    if (present.has(keys.all(word))) return false;
    const thing = keys.thing(word);
    const left = instead.get(thing) ?? 0;
    instead.set(thing, left - 1);
    return left <= 0;
  });
  return { came, went };
}

function countReady({ verdicts }: Said): number {
  let count = 0;
  for (const verdict of verdicts.values()) if (isReady(verdict)) count += 1;
  return count;
}

/** Ready, and there is nothing more to say. */
function isReady({ state, main }: Verdict): boolean {
  return state === "ready" && main === undefined;
}

function verdictLine(verdict: Verdict): Narration {
  const addresses = verdict.addresses.map(({ address }) => address).join(",");
  const holders = holdersOf(verdict).join(",");
  const { main } = verdict;
  return {
    level: verdict.state === "refused" ? "warn" : "info",
    fields: {
      claim: claimTitle(verdict.claim),
      ...(addresses === "" ? {} : { addresses }),
      ...(holders === "" ? {} : { holder: holders }),
      ...(main === undefined ? {} : reasonFields(main)),
    },
    message: verdict.state,
  };
}

/** What is said besides the main reason, such as a member that was left out. */
function remarkLines(before: Verdict | undefined, now: Verdict): readonly Narration[] {
  const claim = claimTitle(now.claim);
  const { came, went } = whatChanged(besidesMain(before), besidesMain(now), {
    all: remarkKey,
    thing: ({ reason }) => reason,
  });
  return [
    ...came.map((remark): Narration => {
      return { level: "warn", fields: { claim, ...reasonFields(remark) }, message: "remarked" };
    }),
    ...went.map(({ reason }): Narration => {
      return { level: "info", fields: { claim, reason }, message: "no longer remarked" };
    }),
  ];
}

function besidesMain(verdict: Verdict | undefined): readonly Remark[] {
  const remarks = new Map((verdict?.remarks ?? []).map((remark) => [remarkKey(remark), remark]));
  if (verdict?.main !== undefined) remarks.delete(remarkKey(verdict.main));
  return [...remarks.values()];
}

function remarkKey({ reason, detail }: Remark): string {
  return `${reason}\n${detail}`;
}

function findingLine(finding: Finding): Narration {
  const { subject, name, reason } = finding;
  // Every address that is freed passes through it, mostly within a second.
  const level = reason === "Releasing" ? "info" : "warn";
  return { level, fields: { subject, name, ...reasonFields(finding) }, message: "found" };
}

function reasonFields(remark: Pick<Finding, "reason" | "detail">): Record<string, string> {
  const { code } = REASONS[remark.reason];
  return { reason: remark.reason, code, detail: remark.detail };
}

function isSameVerdict(before: Verdict | undefined, now: Verdict): boolean {
  return (
    before !== undefined &&
    before.state === now.state &&
    before.main?.reason === now.main?.reason &&
    before.main?.detail === now.main?.detail &&
    holdersOf(before).join() === holdersOf(now).join()
  );
}

function holdersOf(verdict: Verdict): readonly AgentName[] {
  return verdict.addresses.flatMap(({ holder }) => (holder === undefined ? [] : [holder]));
}

/** What makes two findings one for the log. */
export function findingKey(finding: Finding): string {
  return [finding.subject, finding.name, finding.reason, finding.detail].join("\n");
}

/** All of them, by subject and name. */
export function sortFindings(...lists: readonly Iterable<Finding>[]): readonly Finding[] {
  return lists
    .flatMap((list) => [...list])
    .sort((a, b) => compareText(`${a.subject}\n${a.name}`, `${b.subject}\n${b.name}`));
}

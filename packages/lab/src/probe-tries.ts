// What a probing client saw, and what follows from it: pure. Given the tries. A silence is the time
// between two answers, so how long a single try waits does not change it.

/** One try of the client. */
export interface Try {
  /** When it began, on the lab's clock. */
  readonly atMs: number;
  /** How long until its answer, or until it was given up. */
  readonly tookMs: number;
  /** The member that answered. Undefined: no answer. */
  readonly member: string | undefined;
  /** Why there was no answer: the code of the error, `timeout` or `no answer`. */
  readonly failure?: string;
}

/** The longest time without an answer. */
export interface Silence {
  /** The last answer before it, on the lab's clock. */
  readonly fromMs: number;
  /** The first answer after it. */
  readonly toMs: number;
  readonly lengthMs: number;
}

/** What a client saw, in figures. */
export interface ProbeSummary {
  readonly tries: number;
  readonly failed: number;
  /** Answers by member. */
  readonly byMember: ReadonlyMap<string, number>;
  /** Undefined when there were fewer than two answers. */
  readonly longestSilence: Silence | undefined;
}

/** Adds up tries, which may be in any order. */
export function summarizeTries(tries: readonly Try[]): ProbeSummary {
  const byMember = new Map<string, number>();
  for (const { member } of tries) {
    if (member !== undefined) byMember.set(member, (byMember.get(member) ?? 0) + 1);
  }
  return {
    tries: tries.length,
    failed: tries.filter((one) => one.member === undefined).length,
    byMember,
    longestSilence: longestSilence(tries),
  };
}

function longestSilence(tries: readonly Try[]): Silence | undefined {
  const answers = tries
    .filter((one) => one.member !== undefined)
    .map((one) => one.atMs + one.tookMs)
    .sort((a, b) => a - b);
  let longest: Silence | undefined;
  let before: number | undefined;
  for (const at of answers) {
    if (before !== undefined && (longest === undefined || at - before > longest.lengthMs)) {
      longest = { fromMs: before, toMs: at, lengthMs: at - before };
    }
    before = at;
  }
  return longest;
}

/** One line of the client program's output: a JSON array of begin, length, member and failure. */
export function formatTry(one: Try): string {
  const { member = null, failure = null } = one;
  return JSON.stringify([round(one.atMs), round(one.tookMs), member, failure]);
}

/** Reads such a line. Undefined for any other line. */
export function parseTry(line: string): Try | undefined {
  if (!line.startsWith("[")) return undefined;
  const [atMs, tookMs, member, failure] = JSON.parse(line) as [number, number, ...Outcome];
  return { atMs, tookMs, member: member ?? undefined, ...(failure === null ? {} : { failure }) };
}

/** Member and failure: one of the two is null. */
type Outcome = [string | null, string | null];

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

// Runs a scenario: its settings make a ring, its steps happen to it, and what it expects has to be
// reached although ports fail by chance. What an operator must never see is judged at the end.

import { readForm } from "./steps.ts";
import { describeViolation, judgeHolders } from "../judge.ts";
import { alignLines, type Bindings, matchLines, nameLines, resolveNames } from "./match.ts";
import { createRing, type Ring, type RingOptions } from "./ring.ts";
import {
  parseScenario,
  parseTime,
  replaceBlocks,
  ScenarioError,
  type ScenarioLine,
} from "./scenario-text.ts";
import { readSettings } from "./scenario-settings.ts";
import { findStep } from "./steps.ts";
import { viewOf } from "./views.ts";

/** How a scenario is run. */
export interface RunOptions {
  readonly seed: number;
  /** Share of calls of ports that fail; a scenario may say otherwise. Default 0.1. */
  readonly faultRate?: number;
  /** Whether blocks that are not reached are replaced by what is seen. Default false. */
  readonly updates?: boolean;
  readonly log?: RingOptions["log"];
}

/** What came of it. */
export interface RunResult {
  readonly title: string;
  /** The text with blocks replaced; the same text where everything was reached. */
  readonly text: string;
}

/** Everything expected has to come true within this time, in ms. */
const REACH_MS = 180_000;
/** What is looked at in between, in ms. */
const LOOK_MS = 100;
/** What is to be written down has to stay as it is for this long, in ms. */
const REST_MS = 15_000;
/** Before bad luck begins everybody has this long to meet, in ms. */
const MEET_MS = 4000;

/** Runs a scenario. Rejects with a ScenarioError that names the line. */
export async function runScenario(text: string, options: RunOptions): Promise<RunResult> {
  const scenario = parseScenario(text);
  const { settings, steps } = readSettings(scenario.lines);
  for (const step of steps) check(step);
  const { seed, log } = options;
  const ring = createRing({
    ...settings,
    seed,
    faultRate: 0,
    ...(log === undefined ? {} : { log }),
  });
  await ring.clock.advance(MEET_MS);
  ring.faults.rate = options.faultRate ?? 0.1;
  const runner = new Runner(ring, options.updates ?? false);
  for (const step of steps) await runner.run(step);
  runner.judge();
  return { title: scenario.title, text: replaceBlocks(text, runner.seen) };
}

/** How an expectation is told. */
interface Expectation {
  readonly view: readonly string[];
  /** It has to be reached within this, in ms; 0: it is so now. */
  readonly withinMs: number;
  /** And then to stay for this, in ms. */
  readonly forMs: number;
}

function readExpectation(words: readonly string[]): Expectation | undefined {
  const [verb, ...rest] = words;
  if (verb !== "expect") return undefined;
  if (rest[0] === "now") return { view: rest.slice(1), withinMs: 0, forMs: 0 };
  const forMs = rest.at(-2) === "for" ? parseTime(rest.at(-1) ?? "") : 0;
  if (forMs !== 0 && forMs !== undefined) {
    return { view: rest.slice(0, -2), withinMs: REACH_MS, forMs };
  }
  const withinMs = rest.at(-2) === "within" ? parseTime(rest.at(-1) ?? "") : undefined;
  if (withinMs !== undefined) return { view: rest.slice(0, -2), withinMs, forMs: 0 };
  return { view: rest, withinMs: REACH_MS, forMs: 0 };
}

/** Refuses a line that is no step before anything happens. */
function check({ line, words, block }: ScenarioLine): void {
  const verb = words.join(" ");
  const isWait = readForm(["wait", "TIME"], words) !== undefined;
  if (isWait && parseTime(words[1] ?? "") !== undefined) return;
  if (readExpectation(words) !== undefined) {
    if (block.length === 0) throw new ScenarioError(line, `${verb}: what, stands in a block below`);
    return;
  }
  const step = findStep(words);
  if (step === undefined) throw new ScenarioError(line, `there is no step "${verb}"`);
  if ((step.kind.takesBlock ?? false) !== block.length > 0) {
    throw new ScenarioError(line, `${step.kind.form} and a block below do not fit`);
  }
}

class Runner {
  readonly seen = new Map<ScenarioLine, readonly string[]>();
  readonly #ring: Ring;
  readonly #updates: boolean;
  #bindings: Bindings = new Map();

  constructor(ring: Ring, updates: boolean) {
    this.#ring = ring;
    this.#updates = updates;
  }

  async run(step: ScenarioLine): Promise<void> {
    const words = step.words.map((word) => resolveNames(word, this.#bindings));
    const expectation = readExpectation(words);
    if (expectation !== undefined) return await this.#expect(step, expectation);
    if (words[0] === "wait") return await this.#ring.clock.advance(parseTime(words[1] ?? "") ?? 0);
    const found = findStep(words);
    const block = step.block.map((line) => resolveNames(line, this.#bindings));
    try {
      found?.kind.run({ ring: this.#ring, args: found.args, block });
    } catch (error) {
      throw new ScenarioError(step.line, error instanceof Error ? error.message : String(error));
    }
  }

  async #expect(step: ScenarioLine, { view, withinMs, forMs }: Expectation): Promise<void> {
    const whole = viewOf(this.#ring, view);
    if (whole === undefined) {
      throw new ScenarioError(step.line, `there is no view ${view.join(" ")}`);
    }
    const look = (): readonly string[] => withoutUnasked(step.block, whole());
    const isReached = (): boolean => {
      const bound = matchLines(step.block, look(), this.#bindings);
      this.#bindings = bound ?? this.#bindings;
      return bound !== undefined;
    };
    const { clock } = this.#ring;
    const lookMs = Math.min(LOOK_MS, Math.max(1, withinMs / 20));
    const endMs = clock.nowMs() + withinMs;
    const rest = new Rest();
    let hasReached = isReached();
    while (!hasReached && clock.nowMs() < endMs) {
      await clock.advance(lookMs);
      hasReached = isReached();
      if (this.#updates && rest.hasCome(clock.nowMs(), look())) break;
    }
    if (!hasReached) return this.#miss(step, look(), "was not reached");
    const stayMs = clock.nowMs() + forMs;
    while (clock.nowMs() < stayMs) {
      await clock.advance(LOOK_MS);
      if (!isReached()) return this.#miss(step, look(), "did not stay");
    }
    if (this.#updates) this.seen.set(step, alignLines(step.block));
  }

  #miss(step: ScenarioLine, lines: readonly string[], how: string): void {
    if (this.#updates) {
      const named = nameLines(step.block, lines, this.#bindings);
      this.#bindings = named.bindings;
      this.seen.set(step, named.lines);
      return;
    }
    const seen = lines.map((line) => `  ${line}`).join("\n");
    const expected = step.block.map((line) => `  ${line}`).join("\n");
    const problem = `${step.words.join(" ")} ${how}\nexpected:\n${expected}\nseen:\n${seen}`;
    throw new ScenarioError(step.line, problem);
  }

  /** No address may have been on two hosts that heard each other for long. */
  judge(): void {
    const { history, clock } = this.#ring;
    const partitions = this.#ring.partitions();
    const violations = judgeHolders({ history, partitions, endMs: clock.nowMs() });
    const [first] = violations;
    if (first !== undefined) throw new ScenarioError(1, describeViolation(first));
  }
}

/**
 * What other hosts see of an address comes in their own time, seconds after all else: it is left
 * out where a scenario does not ask for it.
 */
function withoutUnasked(wanted: readonly string[], seen: readonly string[]): readonly string[] {
  const isAsked = wanted.some((line) => OUTSIDE.test(line));
  return isAsked ? seen : seen.filter((line) => !OUTSIDE.test(line));
}

const OUTSIDE = /^ *(?:ok|no|[!?]) +Outside /;

/** Notices that what is seen no longer changes. */
class Rest {
  #text = "";
  #sinceMs = 0;

  hasCome(nowMs: number, lines: readonly string[]): boolean {
    const text = lines.join("\n");
    if (text !== this.#text) this.#sinceMs = nowMs;
    this.#text = text;
    return nowMs - this.#sinceMs >= REST_MS;
  }
}

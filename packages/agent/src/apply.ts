// Runs the steps of one pass against the host, in their order, and says what became of each. A
// step that fails never stops the others, but nothing is removed after an address step failed.
// It holds no state: what was applied before goes in, what is applied now comes out.

import {
  type Remark,
  type ResourceName,
  type Revision,
  assertNever,
  vipName,
} from "@fairlead/model";
import { describeError, isEdgeError } from "@fairlead/runtime";

import { type Applied, type Problem, withGeneration } from "./applied.ts";
import { type Answers, askedInVain, startAsking } from "./asking.ts";
import { attachAddresses } from "./attach-addresses.ts";
import { placeOf } from "./by-address.ts";
import { guardedBy } from "./guard-steps.ts";
import { heldRevisions } from "./held-revisions.ts";
import { expectLanes, holdLanes, suspectsOf } from "./hold-lanes.ts";
import type { Host } from "./host.ts";
import type { LedgerEntry } from "./ports.ts";
import { serveListeners } from "./serve-listeners.ts";
import { type StepOutcome, subjectOf } from "./step-outcome.ts";
import { type Step, isServingUdp } from "./steps.ts";
import { sweepAddresses } from "./sweep-addresses.ts";

/** How a pass went. */
export interface PassResult {
  readonly applied: Applied;
  /** What the ledger names now. */
  readonly ledger: readonly LedgerEntry[];
  /** Reloads that nginx made in this pass. */
  readonly reloads: number;
  /** How long the longest of them took, in ms; 0 without any. */
  readonly reloadMs: number;
  /** Whether any daemon was made to read its file again. */
  readonly disturbed: boolean;
  /** Whether keepalived carries what is wanted. While it does not, it may list what shall go. */
  readonly held: boolean;
  /** Something could not be done that may work later without a new plan. */
  readonly retry: boolean;
  /** What became of each step, in their order. */
  readonly steps: readonly StepOutcome[];
}

/** What a pass is made from, beside its steps. */
export interface PassContext {
  /** Monotonic ms. */
  readonly nowMs: () => number;
  readonly before: Applied;
  readonly ledger: readonly LedgerEntry[];
  readonly revisions: ReadonlyMap<ResourceName, Revision>;
  /** Whether keepalived reads its file again even when it is the same. Default: no. */
  readonly rereads?: boolean;
}

/** A pass under way. */
interface Running extends PassContext {
  readonly asking: Promise<Answers>;
}

/** Steps that take something away: they wait for an address step that went wrong. */
const REMOVALS: ReadonlySet<Step["kind"]> = new Set(["sweep", "forget"]);

/** What the steps so far came to. */
type Progress = Omit<PassResult, "steps">;

/** Runs the steps of one pass. */
export async function applySteps(
  host: Host,
  steps: readonly Step[],
  context: PassContext,
): Promise<PassResult> {
  let progress: Progress = {
    applied: {
      ...context.before,
      // What fails may have started it all the same; who ends it says so.
      udpEnded: context.before.udpEnded && !isServingUdp(steps),
      strangers: new Map(),
      unasked: new Set(),
      problems: new Map(),
      remarks: [],
    },
    ledger: context.ledger,
    reloads: 0,
    reloadMs: 0,
    disturbed: false,
    held: true,
    retry: false,
  };
  const outcomes: StepOutcome[] = [];
  let [isServed, isSafeToRemove] = [true, true];
  let isRecorded = true;
  const asking = startAsking(host.segment, steps);
  expectHold(host, steps, context);
  for (const whole of steps) {
    const step: Step | undefined = isRecorded ? whole : namedPart(whole, context.ledger);
    const isEnding = whole.kind === "guard" && whole.exactly;
    const isSafe = isSafeToRemove && progress.held && (isServed || !isEnding);
    if (step === undefined || ((isEnding || REMOVALS.has(whole.kind)) && !isSafe)) {
      outcomes.push(outcomeOf(whole, "skipped", "a step before it went wrong"));
      continue;
    }
    const begunMs = context.nowMs();
    const earlier = progress;
    try {
      progress = await runStep(host, step, earlier, { ...context, asking });
      outcomes.push({ ...judge(host, step, earlier, progress), tookMs: context.nowMs() - begunMs });
    } catch (error) {
      // Whoever is to have an address next waits until it is gone here, whatever nginx does.
      if (step.kind === "serve") isServed = false;
      else isSafeToRemove = false;
      // An address may only appear when the ledger can name it: else it could be left behind.
      isRecorded &&= step.kind !== "record";
      const detail = describeError(error);
      const isWritable = isRecorded && !isEdgeError(error, "RUN_DIR");
      const reason = isWritable ? "DataPlaneDown" : "DiskUnwritable";
      progress = withRemark(earlier, { reason, detail: `cannot ${step.kind}: ${detail}` });
      const failed = outcomeOf(step, "failed", detail);
      outcomes.push({ ...failed, tookMs: context.nowMs() - begunMs });
    }
  }
  // What serves beside the new generation until here, serves what is gone as well.
  await Promise.all([host.nginx.retired(), host.nginxUdp.retired()]);
  const { applied } = progress;
  const unasked = new Set([...applied.unasked, ...askedInVain(steps, applied)]);
  return { ...progress, applied: { ...applied, unasked }, steps: outcomes };
}

/** What goes on where the ledger cannot be written: what it names is put back when it is gone. */
function namedPart(step: Step, ledger: readonly LedgerEntry[]): Step | undefined {
  if (step.kind !== "attach") return undefined;
  const named = new Set(ledger.map(placeOf));
  const attachments = step.attachments.filter(({ vip: { address }, link }) =>
    named.has(placeOf({ address, link })),
  );
  return { ...step, attachments };
}

/** What became of a step that did not fail. */
function judge(host: Host, step: Step, before: Progress, after: Progress): StepOutcome {
  const left = after.applied.problems.size - before.applied.problems.size;
  const unguarded = step.kind === "guard" ? host.guard.trouble() : undefined;
  if (unguarded !== undefined) return outcomeOf(step, "failed", unguarded.detail);
  const words = after.applied.remarks.at(-1)?.detail;
  const isSaid = after.applied.remarks.length > before.applied.remarks.length;
  const isRefused = !after.held || (step.kind === "serve" && isSaid);
  if (isRefused && words !== undefined) return outcomeOf(step, "refused", words);
  if (left > 0) return outcomeOf(step, "partly", `${left} left out, or served without a wish`);
  return outcomeOf(step, "done");
}

function outcomeOf(step: Step, outcome: StepOutcome["outcome"], detail = ""): StepOutcome {
  return { kind: step.kind, subject: subjectOf(step), outcome, detail, tookMs: 0 };
}

async function runStep(
  host: Host,
  step: Step,
  result: Progress,
  context: Running,
): Promise<Progress> {
  const { strangers } = result.applied;
  switch (step.kind) {
    case "serve":
      return serve(host, step, result, context);
    case "guard":
      await host.guard.guard(guardedBy(step, result.applied.listeners), !step.exactly);
      return result;
    case "ask":
      return heard(step, result, await context.asking, context);
    case "record":
    case "forget": {
      const entries = step.entries.filter((one) => one.foreign || !strangers.has(one.address));
      await host.ledger.save(entries);
      return { ...result, ledger: entries };
    }
    case "hold": {
      const vips = step.vips.filter(({ address }) => !strangers.has(address));
      return hold(host, { ...step, vips }, result, context);
    }
    case "attach": {
      const found = await attachAddresses(host, step.attachments, { ...context, strangers });
      const problems = new Map([...result.applied.problems, ...found.problems]);
      const applied = { ...result.applied, problems, attached: found.attached };
      return { ...result, applied, retry: result.retry || found.problems.size > 0 };
    }
    case "sweep":
      await sweepAddresses(host.kernel, step.addresses);
      return result;
    default:
      return assertNever(step, "step kind");
  }
}

async function serve(
  host: Host,
  step: Extract<Step, { kind: "serve" }>,
  result: Progress,
  { nowMs }: PassContext,
): Promise<Progress> {
  const served = await serveListeners({ ...host, nowMs }, step, result.applied);
  const problems = new Map([...result.applied.problems, ...served.problems]);
  const isUndecided = served.undecided !== undefined;
  const applied = { ...withGeneration(result.applied, step.protocol, served), problems };
  // What nobody asks for any more and nginx still serves is no listener's problem.
  const isSaid = !isUndecided || served.problems.size > 0;
  const remarks = isSaid ? applied.remarks : [...applied.remarks, served.undecided.remark];
  return {
    ...result,
    applied: { ...applied, remarks },
    reloads: result.reloads + served.reloads,
    reloadMs: Math.max(result.reloadMs, served.reloadMs),
    disturbed: result.disturbed || served.reloads > 0,
    retry: result.retry || !served.isDone,
  };
}

/** What a stranger has is left out; who cannot ask goes on and says so. Both ask again later. */
function heard(
  { questions }: Extract<Step, { kind: "ask" }>,
  result: Progress,
  answers: Answers,
  { revisions }: PassContext,
): Progress {
  const { remarks } = result.applied;
  if ("trouble" in answers) {
    const detail = `${subjectOf({ kind: "ask", questions })} came unasked: ${answers.trouble}`;
    const unasked = new Set(questions.map(({ address }) => address));
    const said = { unasked, remarks: [...remarks, { reason: "AddressUnasked", detail } as const] };
    return { ...result, applied: { ...result.applied, ...said }, retry: true };
  }
  const problems = new Map<ResourceName, Problem>(result.applied.problems);
  for (const { address, link } of questions) {
    const mac = answers.get(address);
    const revision = revisions.get(vipName(address));
    if (mac === undefined || revision === undefined) continue;
    const detail = `${mac} answers for ${address} on ${link}`;
    problems.set(vipName(address), { reason: "AddressInUse", detail, revision });
  }
  const applied = { ...result.applied, problems, strangers: answers };
  return { ...result, applied, retry: result.retry || answers.size > 0 };
}

async function hold(
  host: Host,
  { lanes, vips, udpLanes }: Extract<Step, { kind: "hold" }>,
  result: Progress,
  { revisions, rereads = false, before }: PassContext,
): Promise<Progress> {
  if (lanes.length === 0) {
    // An empty file would be taken for "no addresses" anyway; a stopped daemon says it in the open.
    await host.keepalived.stop();
    const nothing = { held: new Map(), lanes: new Map(), vips: new Map() };
    return { ...result, applied: { ...result.applied, ...nothing } };
  }
  const suspects = suspectsOf(before.problems, revisions);
  const wanted = { lanes, vips, udpLanes, rereads, suspects };
  const { held, refused, reloaded } = await holdLanes(host, wanted, result.applied.held);
  const carried = heldRevisions({ held, wanted, revisions, before: result.applied });
  const disturbed = result.disturbed || reloaded;
  const applied = { ...result.applied, held, ...carried };
  if (refused.size === 0) return { ...result, disturbed, applied };
  const problems = new Map<ResourceName, Problem>(applied.problems);
  for (const [name, remark] of refused) {
    const revision = revisions.get(name);
    if (revision !== undefined) problems.set(name, { ...remark, revision });
  }
  const left = {
    ...result,
    disturbed,
    applied: { ...applied, problems },
    held: false,
    retry: true,
  };
  const [words] = refused.values();
  // What is every lane's trouble is keepalived's own.
  return words === undefined || refused.size < lanes.length ? left : withRemark(left, words);
}

/**
 * Clients wait for an address that comes to this host, and what keepalived will be handed for it
 * is known before nginx serves: it is checked meanwhile.
 */
function expectHold(
  host: Host,
  steps: readonly Step[],
  { before, rereads = false }: PassContext,
): void {
  const wanted = steps.find((step) => step.kind === "hold");
  const isAsked = steps.some((step) => step.kind === "ask");
  if (!isAsked || wanted === undefined || wanted.lanes.length === 0) return;
  expectLanes(host, { ...wanted, rereads, suspects: new Map() }, before.held);
}

function withRemark(result: Progress, remark: Remark): Progress {
  const remarks = [...result.applied.remarks, remark];
  return { ...result, applied: { ...result.applied, remarks }, retry: true };
}

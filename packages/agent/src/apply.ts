// Runs the steps of one pass against the host, in their order, and says what became of each. A
// step that fails never stops the others, but nothing is removed after an address step failed.
// It holds no state: what was applied before goes in, what is applied now comes out.

import type {
  Address,
  LaneResource,
  Remark,
  ResourceName,
  Revision,
  VipResource,
} from "@fairlead/model";
import { assertNever } from "@fairlead/model";
import { describeError } from "@fairlead/runtime";

import type { Applied, Problem } from "./applied.ts";
import type { KeepalivedDaemon, Kernel, Ledger, LedgerEntry } from "./ports.ts";
import { type ServeOptions, serveListeners } from "./serve-listeners.ts";
import type { Step } from "./steps.ts";

/** A keepalived file with the number of VIPs in it. */
export interface KeepalivedText {
  readonly text: string;
  readonly vipCount: number;
}

/** What steps are run against. */
export interface Host extends ServeOptions {
  readonly keepalived: KeepalivedDaemon;
  readonly kernel: Kernel;
  readonly ledger: Ledger;
  readonly renderKeepalived: (
    lanes: readonly LaneResource[],
    vips: readonly VipResource[],
  ) => KeepalivedText;
}

/** How a pass went. */
export interface PassResult {
  readonly applied: Applied;
  /** What the ledger names now. */
  readonly ledger: readonly LedgerEntry[];
  /** Reloads that nginx made in this pass. */
  readonly reloads: number;
  /** Whether any daemon was made to read its file again. */
  readonly disturbed: boolean;
  /** Whether keepalived carries what is wanted. While it does not, it may list what shall go. */
  readonly held: boolean;
  /** Something could not be done that may work later without a new plan. */
  readonly retry: boolean;
}

/** What a pass is made from, beside its steps. */
export interface PassContext {
  readonly before: Applied;
  readonly ledger: readonly LedgerEntry[];
  readonly revisions: ReadonlyMap<ResourceName, Revision>;
  /** Whether keepalived reads its file again even when it is the same. Default: no. */
  readonly rereads?: boolean;
}

/** Runs the steps of one pass. */
export async function applySteps(
  host: Host,
  steps: readonly Step[],
  context: PassContext,
): Promise<PassResult> {
  let result: PassResult = {
    applied: { ...context.before, problems: new Map(), remarks: [] },
    ledger: context.ledger,
    reloads: 0,
    disturbed: false,
    held: true,
    retry: false,
  };
  let isSafeToRemove = true;
  for (const step of steps) {
    const isRemoval = step.kind === "sweep" || step.kind === "forget";
    if (isRemoval && !(isSafeToRemove && result.held)) continue;
    try {
      result = await runStep(host, step, result, context);
    } catch (error) {
      isSafeToRemove = false;
      result = withRemark(result, {
        reason: step.kind === "record" ? "DiskUnwritable" : "DataPlaneDown",
        detail: `cannot ${step.kind}: ${describeError(error)}`,
      });
      // An address may only appear when the ledger can name it: else it could be left behind.
      if (step.kind === "record") return result;
    }
  }
  return result;
}

async function runStep(
  host: Host,
  step: Step,
  result: PassResult,
  context: PassContext,
): Promise<PassResult> {
  switch (step.kind) {
    case "serve": {
      const served = await serveListeners(host, step.listeners, result.applied);
      const problems = new Map([...result.applied.problems, ...served.problems]);
      return {
        ...result,
        applied: {
          ...result.applied,
          problems,
          listeners: served.listeners,
          ...(served.generation === undefined ? {} : { generation: served.generation }),
        },
        reloads: result.reloads + served.reloads,
        disturbed: result.disturbed || served.reloads > 0,
        retry: result.retry || [...served.problems.values()].some(isPassing),
      };
    }
    case "record":
    case "forget":
      await host.ledger.save(step.entries);
      return { ...result, ledger: step.entries };
    case "hold":
      return hold(host, step, result, context);
    case "sweep":
      for (const address of step.addresses) await host.kernel.removeAddress(address);
      return result;
    default:
      return assertNever(step, "step kind");
  }
}

async function hold(
  host: Host,
  step: Extract<Step, { kind: "hold" }>,
  result: PassResult,
  { revisions, rereads }: PassContext,
): Promise<PassResult> {
  const { lanes, vips } = step;
  if (lanes.length === 0) {
    // An empty file would be taken for "no addresses" anyway; a stopped daemon says it in the open.
    await host.keepalived.stop();
    return { ...result, applied: { ...result.applied, lanes: new Map(), vips: new Map() } };
  }
  const { text, vipCount } = host.renderKeepalived(lanes, vips);
  const outcome = await host.keepalived.apply(text, vipCount, rereads);
  if (outcome.kind === "applied") {
    const disturbed = result.disturbed || outcome.reloaded;
    const applied = { ...result.applied, ...carried(lanes, vips, revisions) };
    return { ...result, disturbed, applied };
  }
  const problems = new Map<ResourceName, Problem>(result.applied.problems);
  for (const { name } of lanes) {
    const revision = revisions.get(name);
    if (revision !== undefined) problems.set(name, { ...outcome.remark, revision });
  }
  const refused = withRemark(result, outcome.remark);
  return { ...refused, applied: { ...refused.applied, problems }, held: false };
}

function carried(
  lanes: readonly LaneResource[],
  vips: readonly VipResource[],
  revisions: ReadonlyMap<ResourceName, Revision>,
): Pick<Applied, "lanes" | "vips"> {
  const laneRevisions = new Map<ResourceName, Revision>();
  const vipRevisions = new Map<Address, Revision>();
  for (const lane of lanes) {
    const revision = revisions.get(lane.name);
    if (revision !== undefined) laneRevisions.set(lane.name, revision);
  }
  for (const vip of vips) {
    const revision = revisions.get(vip.name);
    if (revision !== undefined) vipRevisions.set(vip.address, revision);
  }
  return { lanes: laneRevisions, vips: vipRevisions };
}

/** A port is given up by its holder some day; what a daemon refuses waits for other content. */
function isPassing(problem: Problem): boolean {
  return problem.reason === "PortTaken";
}

function withRemark(result: PassResult, remark: Remark): PassResult {
  const remarks = [...result.applied.remarks, remark];
  return { ...result, applied: { ...result.applied, remarks }, retry: true };
}

// Which pools may serve a claim: by namespace, by labels, by name when it asks for one. Given a
// claim and the judged pools; says in words why there is none.

import {
  type Claim,
  type LabelRequirement,
  type LabelSelector,
  type Remark,
  assertNever,
  claimTitle,
} from "@fairlead/model";

import type { PoolBook, PoolView } from "./pools.ts";

/** The pools that a claim may be given addresses from, in the order they are tried. */
export type Access =
  | { readonly kind: "open"; readonly pools: readonly PoolView[] }
  | { readonly kind: "closed"; readonly problem: Remark };

/** Pools for a claim that wishes for no address. */
export function accessOf(claim: Claim, book: PoolBook): Access {
  if (claim.wishedPool !== undefined) return accessByName(claim, book);
  const open = book.usable.filter((view) => view.pool.autoAssign && isAllowed(claim, view));
  if (open.length === 0) return closed("NoPool", whyNoPool(claim, book));
  return { kind: "open", pools: open };
}

/** Why the pool may not serve the claim; undefined when it may. `autoAssign` is no matter here. */
export function whyNotAllowed(claim: Claim, { pool }: PoolView): string | undefined {
  if (pool.namespaces.length > 0 && !pool.namespaces.includes(claim.namespace)) {
    return `pool ${pool.name} does not serve namespace ${claim.namespace}`;
  }
  if (selects(pool.serviceSelector, claim.labels)) return undefined;
  return `pool ${pool.name} does not select the labels of ${claimTitle(claim.id)}`;
}

function selects(selector: LabelSelector, labels: Claim["labels"]): boolean {
  // Labels are called what people like, `constructor` too.
  const valueOf = (key: string): string | undefined =>
    Object.hasOwn(labels, key) ? labels[key] : undefined;
  const areAlike = Object.entries(selector.matchLabels).every(
    ([key, value]) => valueOf(key) === value,
  );
  return areAlike && selector.matchExpressions.every((one) => holdsFor(one, valueOf(one.key)));
}

function holdsFor(requirement: LabelRequirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case "In":
      return value !== undefined && requirement.values.includes(value);
    case "NotIn":
      return value === undefined || !requirement.values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return assertNever(requirement, "a requirement of no kind");
  }
}

function isAllowed(claim: Claim, view: PoolView): boolean {
  return whyNotAllowed(claim, view) === undefined;
}

function accessByName(claim: Claim, book: PoolBook): Access {
  const name = claim.wishedPool;
  const view = name === undefined ? undefined : book.byName.get(name);
  if (name === undefined || view === undefined) {
    const refused = name === undefined ? undefined : book.refused.get(name);
    if (refused === undefined) return closed("UnknownPool", `there is no pool ${String(name)}`);
    return closed(refused.reason, `pool ${String(name)} is not used: ${refused.detail}`);
  }
  const problem = whyNotAllowed(claim, view);
  return problem === undefined ? { kind: "open", pools: [view] } : closed("NoPool", problem);
}

function whyNoPool(claim: Claim, book: PoolBook): string {
  if (book.usable.length === 0) return "there is no pool that can be used";
  const reasons = book.usable.map((view) =>
    view.pool.autoAssign
      ? whyNotAllowed(claim, view)
      : `pool ${view.pool.name} serves only those that ask for it`,
  );
  return reasons
    .filter((reason) => reason !== undefined)
    .slice(0, REASONS_MAX)
    .join("; ");
}

/** Pools named in one detail at most: a sentence stays readable. */
const REASONS_MAX = 3;

function closed(reason: Remark["reason"], detail: string): Access {
  return { kind: "closed", problem: { reason, detail } };
}

// One pool as a row: its ranges, how full they are, and what is found about it. Given what the loop
// knows, and the counts of leases, which are made once for all pools. Pure.

import { type AddressPool, type ExternalPool, type Finding, rangeText } from "@fairlead/model";
import type { MessageInitShape, PoolRowSchema } from "@fairlead/wire";

import { poolsNamed, type Seen } from "../../cluster-state.ts";
import type { CycleView } from "../../cycle-view.ts";
import { poolInUse } from "../../pool-in-use.ts";
import type { PoolUsage, PoolUse } from "../../pool-usage.ts";
import { remarkRow } from "./remark-row.ts";

/** The row of a pool that a source shows. */
export function poolRow(
  view: CycleView,
  seen: Seen<AddressPool>,
  usage: PoolUsage,
): MessageInitShape<typeof PoolRowSchema> {
  const pool = poolInUse(view, seen.value);
  const uses = isSecond(view, seen) ? [] : usage.of(pool);
  const findings = poolFindings(view, seen);
  return {
    name: pool.name,
    ranges: rangesText(pool),
    mode: pool.mode,
    size: String(sizeOf(uses)),
    used: BigInt(usedOf(uses)),
    quarantined: BigInt(restingOf(uses)),
    origin: pool.origin,
    state: findings.some(isRefusal) ? "refused" : "used",
    remarks: findings.map(remarkRow),
    usage: uses.map(({ family, size, held, draining, quarantined, outside }) => ({
      family,
      size: String(size),
      held: BigInt(held),
      draining: BigInt(draining),
      quarantined: BigInt(quarantined),
      outside: BigInt(outside),
    })),
    autoAssign: pool.autoAssign,
    priority: pool.priority,
  };
}

/** Rows of pools that nothing but findings knows, as none of their manifests could be read. */
export function unreadPoolRows(
  view: CycleView,
  named = "",
): readonly MessageInitShape<typeof PoolRowSchema>[] {
  const seen = new Set<string>(Array.from(view.state.pools.values(), ({ value }) => value.name));
  const unread = view.findings.filter(
    (finding) => finding.subject === "pool" && !seen.has(finding.name) && isRefusal(finding),
  );
  const asked = unread.filter(({ name }) => named === "" || name === named);
  return [...Map.groupBy(asked, ({ name }) => name)].map(([name, findings]) => ({
    name,
    size: "0",
    origin: findings.flatMap(({ files = [] }) => files).join(", "),
    state: "refused",
    remarks: findings.map(remarkRow),
  }));
}

/** The ranges as people write them; of an external pool whose they are, too. */
export function rangesText({ ranges, external }: AddressPool): string {
  const texts = ranges.map(rangeText);
  return [...(external === undefined ? [] : [externalText(external)]), ...texts].join(",");
}

/** `class lab of http://ipam.example`. */
export function externalText({ url, class: of }: ExternalPool): string {
  return `class ${of} of ${url}`;
}

/** Addresses of all families that the pool may give. */
export function sizeOf(uses: readonly PoolUse[]): bigint {
  return uses.reduce((sum, { size }) => sum + size, 0n);
}

/** Addresses that the pool gives and that are held or draining. */
export function usedOf(uses: readonly PoolUse[]): number {
  return uses.reduce((sum, { held, draining }) => sum + held + draining, 0);
}

/** Addresses that the pool gives and that rest. */
export function restingOf(uses: readonly PoolUse[]): number {
  return uses.reduce((sum, { quarantined }) => sum + quarantined, 0);
}

/** Addresses that the pool gave and gives no more, and that are held or draining. */
export function outsideOf(uses: readonly PoolUse[]): number {
  return uses.reduce((sum, { outside }) => sum + outside, 0);
}

/** What is found about a pool; of two that share a name each has its own. */
export function poolFindings(view: CycleView, seen: Seen<AddressPool>): readonly Finding[] {
  const { name } = seen.value;
  const isLater = isSecond(view, seen);
  return view.findings.filter(
    (finding) =>
      finding.subject === "pool" &&
      finding.name === name &&
      (finding.reason === "DuplicateObject") === isLater,
  );
}

/** Whether a finding about a pool says that it is not used. */
export function isRefusal({ reason }: Finding): boolean {
  return !["HeldOutside", "IpamUnreachable", "RegistrationLost"].includes(reason);
}

function isSecond(view: CycleView, seen: Seen<AddressPool>): boolean {
  return poolsNamed(view.state, seen.value.name)[0] !== seen;
}

// The table of `fairlead pool list`, the text of `fairlead pool describe`, and whether what they
// show is well. Given what the controller answered. Pure.

import type { AddressRow, PoolDetail, PoolRow } from "@fairlead/wire";

import { formatRemark } from "./status-view.ts";
import { type Column, formatAge, formatTable, type TableOptions } from "./table.ts";

/** One line of the table: a pool in one family. */
interface FamilyLine {
  readonly row: PoolRow;
  readonly usage: PoolRow["usage"][number] | undefined;
}

/** Characters of a usage bar between its brackets. */
const BAR_WIDTH = 20;

const POOL_COLUMNS: readonly Column<FamilyLine>[] = [
  { heading: "NAME", cell: ({ row }) => row.name },
  { heading: "MODE", cell: ({ row }) => row.mode },
  { heading: "FAMILY", cell: ({ usage }) => usage?.family ?? "" },
  { heading: "USED", cell: ({ usage }) => (usage ? String(usedOf(usage)) : "") },
  { heading: "SIZE", cell: ({ usage }) => usage?.size ?? "" },
  { heading: "USAGE", cell: ({ usage }) => (usage ? usageCell(usage) : "") },
  { heading: "STATE", cell: ({ row }) => row.state },
  { heading: "QUARANTINED", cell: ({ usage }) => String(usage?.quarantined ?? ""), isWide: true },
  { heading: "AUTO", cell: ({ row }) => known(row, row.autoAssign ? "yes" : "no"), isWide: true },
  { heading: "PRIORITY", cell: ({ row }) => known(row, String(row.priority)), isWide: true },
  { heading: "RANGES", cell: ({ row }) => row.ranges, isWide: true },
  { heading: "ORIGIN", cell: ({ row }) => originCell(row), isWide: true },
  { heading: "REASON", cell: ({ row }) => row.remarks[0]?.reason ?? "" },
];

const LEASE_COLUMNS: readonly Column<AddressRow>[] = [
  { heading: "ADDRESS", cell: (row) => row.address },
  { heading: "STATE", cell: (row) => row.state },
  { heading: "OWNERS", cell: (row) => row.owners.join(",") },
  { heading: "HOLDER", cell: (row) => row.holder },
  { heading: "AGE", cell: (row) => formatAge(Number(row.ageMs)) },
];

/** The cell of a rule: of a pool that could never be read nobody knows it. */
function known({ mode }: PoolRow, cell: string): string {
  return mode === "" ? "" : cell;
}

/** Without a blank, for awk: `[#####...............]25%`. */
function usageCell(usage: PoolRow["usage"][number]): string {
  return usageBar(usedOf(usage), usage.size).replaceAll(" ", "");
}

/** Without a blank, for awk: `a.yaml,sub/b.yaml`, `the-config-file`. */
function originCell({ origin }: PoolRow): string {
  return origin.replaceAll(", ", ",").replaceAll(" ", "-");
}

/** Whether every pool is used. A full one is well: who lacks an address of it is told. */
export function arePoolsWell(rows: readonly PoolRow[]): boolean {
  return rows.every((row) => row.state === "used");
}

/** The table of pools, a line for each family of a pool, and what is found about them. */
export function formatPools(rows: readonly PoolRow[], options: TableOptions): string {
  const lines = rows.flatMap((row): readonly FamilyLine[] =>
    row.usage.length === 0
      ? [{ row, usage: undefined }]
      : row.usage.map((usage) => ({ row, usage })),
  );
  const table = formatTable(POOL_COLUMNS, lines, options);
  if (options.headings === false) return table;
  if (rows.length === 0) return `${table}there is no pool\n`;
  const remarks = rows.flatMap((row) => row.remarks.map((one) => formatRemark(row.name, one)));
  return remarks.length === 0 ? table : `${table}\n${remarks.join("")}`;
}

/** How full a pool is: `[#####...............]  25%`; what is in use at all shows one mark. */
export function usageBar(used: bigint, size: string): string {
  const total = BigInt(size);
  if (total === 0n) return `[${".".repeat(BAR_WIDTH)}]   -`;
  const share = used >= total ? 1 : Number((used * 10_000n) / total) / 10_000;
  const least = used > 0n ? 1 : 0;
  // A bar that looks full is full.
  const most = used >= total ? BAR_WIDTH : BAR_WIDTH - 1;
  const marks = Math.min(most, Math.max(least, Math.round(share * BAR_WIDTH)));
  const percent = used >= total ? 100 : Math.min(99, Math.floor(share * 100));
  const bar = "#".repeat(marks) + ".".repeat(BAR_WIDTH - marks);
  return `[${bar}] ${String(percent).padStart(3)}%`;
}

/** All that is known of pools, one after the other. */
export function formatPoolDetails(pools: readonly PoolDetail[], options: TableOptions): string {
  return pools.map((pool) => formatPoolDetail(pool, options)).join("\n");
}

function formatPoolDetail(pool: PoolDetail, options: TableOptions): string {
  const { row } = pool;
  if (row === undefined) return "";
  const fields = fieldsOf(pool, row);
  const width = Math.max(...fields.map(([name]) => name.length)) + 1;
  const head = fields.map(([name, value]) => `${`${name}:`.padEnd(width)} ${value}\n`).join("");
  const remarks = row.remarks.map((remark) => formatRemark(row.name, remark)).join("");
  const leases = pool.leases.length === 0 ? "" : formatTable(LEASE_COLUMNS, pool.leases, options);
  const more = pool.leasesLeftOut === 0n ? "" : `and ${pool.leasesLeftOut} more\n`;
  return [head, remarks, `${leases}${more}`].filter((part) => part !== "").join("\n");
}

function fieldsOf(pool: PoolDetail, row: PoolRow): readonly (readonly [string, string])[] {
  const head: readonly (readonly [string, string])[] = [
    ["Name", row.name],
    ["Origin", row.origin === "" ? "-" : row.origin],
    ["State", row.state],
  ];
  // Of a pool that could never be read nobody knows the rules.
  if (row.mode === "") return head;
  return [
    ...head,
    ["Mode", row.mode],
    ["Addresses", pool.addresses.join(", ")],
    ["Reserved", listOr(pool.reserved, "none")],
    ["Auto-assign", row.autoAssign ? "yes" : "no, only to those that ask for it"],
    ["Avoid .0 .255", pool.avoidBuggyIps ? "yes" : "no"],
    ["Sharing", pool.sharing],
    ["Quarantine", formatAge(Number(pool.quarantineMs))],
    ["On shrink", pool.onShrink],
    ["Priority", String(row.priority)],
    ["Namespaces", listOr(pool.namespaces, "all")],
    ["Labels", listOr(pool.labels, "any")],
    ["Agents", listOr(pool.agents, "all")],
    ["Link", pool.link === "" ? "by subnet" : pool.link],
    ...row.usage.map((usage): readonly [string, string] => [
      `Usage ${usage.family}`,
      usageText(usage),
    ]),
    ["Waiting", listOr(pool.waiting, "nobody")],
  ];
}

function usageText(usage: PoolRow["usage"][number]): string {
  const { held, draining, quarantined, size, outside } = usage;
  const bar = usageBar(usedOf(usage), size);
  const others = outside === 0n ? "" : `; ${outside} more outside of what it gives`;
  return `${bar}  ${held} held, ${draining} draining, ${quarantined} quarantined, of ${size}${others}`;
}

function usedOf({ held, draining }: PoolRow["usage"][number]): bigint {
  return held + draining;
}

function listOr(texts: readonly string[], none: string): string {
  return texts.length === 0 ? none : texts.join(", ");
}

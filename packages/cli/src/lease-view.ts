// The tables of `fairlead lease`. Given what the controller answered. Pure.

import type { AddressRow } from "@fairlead/wire";

import { type Column, formatAge } from "./table.ts";

/** Columns of leases. */
export const LEASE_COLUMNS: readonly Column<AddressRow>[] = [
  { heading: "ADDRESS", cell: (row) => row.address },
  { heading: "POOL", cell: (row) => row.pool },
  { heading: "STATE", cell: (row) => row.state },
  { heading: "OWNERS", cell: (row) => row.owners.join(",") },
  { heading: "HOLDER", cell: (row) => row.holder },
  { heading: "WAITS-FOR", cell: (row) => row.waitingFor.join(",") },
  { heading: "LAST-OWNER", cell: (row) => row.lastOwner, isWide: true },
  { heading: "LANE", cell: (row) => row.lane, isWide: true },
  { heading: "AGE", cell: (row) => formatAge(Number(row.ageMs)) },
];

/** One lease in lines, a fact each. */
export function formatLease(row: AddressRow): string {
  const facts: readonly (readonly [string, string])[] = [
    ["Address", row.address],
    ["Pool", row.pool],
    ["State", row.state],
    ["Owners", row.ports.join("\n")],
    ["Sharing key", row.sharingKey ?? ""],
    ["Last owner", row.lastOwner],
    ["In status", row.published ? "yes" : "no"],
    ["Holder", row.holder],
    ["Lane", row.lane],
    ["Order", row.order.join(", ")],
    ["Stands by", standingBy(row)],
    ["Waits for", row.waitingFor.join(", ")],
    [
      "Quarantined until",
      row.quarantinedUntilMs === undefined ? "" : timeText(Number(row.quarantinedUntilMs)),
    ],
    ["Age", formatAge(Number(row.ageMs))],
  ];
  const shown = facts.filter(([, value]) => value !== "");
  const width = Math.max(...shown.map(([name]) => name.length)) + 3;
  const indent = `\n${" ".repeat(width)}`;
  return shown
    .map(([name, value]) => `${`${name}:`.padEnd(width)}${value.replaceAll("\n", indent)}\n`)
    .join("");
}

/** Where nobody does the address is lost with its holder; in a mode without lanes nobody could. */
function standingBy({ lane, state, standingBy: names }: AddressRow): string {
  if (lane === "" || state !== "held") return "";
  return names.length === 0 ? "nobody" : names.join(", ");
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/u, "Z");
}

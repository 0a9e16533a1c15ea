// The state of everything at one moment, as rows for tables. Pure: given what the loop and the
// streams know. Rows are sorted, so that two lists of one state are the same.

import { type Finding, compareAddress, compareText } from "@fairlead/model";
import { ListKind, type ListResponseSchema } from "@fairlead/wire";
import type { MessageInitShape } from "@fairlead/wire";

import { countUsage } from "../../pool-usage.ts";
import { addressRow } from "./address-row.ts";
import type { AdminContext } from "./admin-context.ts";
import { wholeMs } from "./age.ts";
import { agentRow } from "./agent-row.ts";
import { claimRow } from "./claim-row.ts";
import { sortedPools } from "./describe-pool.ts";
import { frozenSince } from "./list-lanes.ts";
import { poolRow, unreadPoolRows } from "./pool-row.ts";
import { remarkRow } from "./remark-row.ts";

/** A list as the contract's table takes it. */
export type ListInit = MessageInitShape<typeof ListResponseSchema>;

/** Answers List; no kinds means all. */
export function list(
  context: AdminContext,
  { kinds }: { readonly kinds: readonly ListKind[] },
): ListInit {
  const { view } = context;
  const wants = (kind: ListKind): boolean => kinds.length === 0 || kinds.includes(kind);
  const { agents } = view.state;
  // Whoever stands by judges nothing: claims without a verdict would look as if they waited.
  const claims = view.lead.leads ? view.state.claims : NO_CLAIMS;
  const leases = [...(view.plan?.leases.values() ?? [])];
  return {
    controller: controllerRow(context),
    claims: wants(ListKind.CLAIMS) ? sortedKeys(claims).map((id) => claimRow(context, id)) : [],
    agents: wants(ListKind.AGENTS) ? sortedKeys(agents).map((name) => agentRow(context, name)) : [],
    pools: wants(ListKind.POOLS) ? poolRows(context) : [],
    addresses: wants(ListKind.ADDRESSES)
      ? leases
          .toSorted((a, b) => compareAddress(a.address, b.address))
          .map((lease) => addressRow(context, lease))
      : [],
    findings: wants(ListKind.FINDINGS) ? view.findings.map(findingRow) : [],
  };
}

const NO_CLAIMS: AdminContext["view"]["state"]["claims"] = new Map();

function poolRows(context: AdminContext): NonNullable<ListInit["pools"]> {
  const { view } = context;
  const usage = countUsage(view.plan?.leases.values() ?? []);
  const read = sortedPools(context).map((seen) => poolRow(view, seen, usage));
  const rows = [...read, ...unreadPoolRows(view)];
  return rows.sort((a, b) => compareText(a.name ?? "", b.name ?? ""));
}

function controllerRow({ view, version, uptimeMs }: AdminContext): ListInit["controller"] {
  const frozen = frozenSince(view);
  return {
    version,
    epoch: BigInt(view.epoch),
    uptimeMs: wholeMs(uptimeMs),
    cycles: BigInt(view.cycles),
    ready: view.notReady === undefined,
    detail: view.notReady ?? "",
    standsBy: !view.lead.leads,
    leader: view.lead.holder ?? "",
    ...(frozen === undefined ? {} : { frozenSinceMs: frozen }),
  };
}

function findingRow(finding: Finding): NonNullable<ListInit["findings"]>[number] {
  return { subject: finding.subject, name: finding.name, remark: remarkRow(finding) };
}

function sortedKeys<Key extends string>(map: ReadonlyMap<Key, unknown>): readonly Key[] {
  return [...map.keys()].toSorted(compareText);
}

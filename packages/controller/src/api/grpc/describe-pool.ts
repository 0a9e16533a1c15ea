// Pools with their rules, their addresses and who waits for one. Given what the loop knows. Pure;
// what one answer names of a pool is bounded.

import {
  type AddressPool,
  type LabelSelector,
  type Reason,
  assertNever,
  claimTitle,
  compareAddress,
  compareAge,
  compareText,
  rangeText,
} from "@fairlead/model";
import { nearestWord } from "@fairlead/runtime";
import type {
  DescribePoolResponseSchema,
  MessageInitShape,
  PoolDetailSchema,
} from "@fairlead/wire";

import { poolsNamed, type Seen } from "../../cluster-state.ts";
import { poolInUse } from "../../pool-in-use.ts";
import { countUsage } from "../../pool-usage.ts";
import { addressRow } from "./address-row.ts";
import type { AdminContext } from "./admin-context.ts";
import { externalText, poolRow, unreadPoolRows } from "./pool-row.ts";

/** Addresses and waiting claims that one answer names of a pool at most. */
const NAMED_MAX = 1000;

type Answer = MessageInitShape<typeof DescribePoolResponseSchema>;
type Detail = Omit<MessageInitShape<typeof PoolDetailSchema>, "row" | "$typeName">;

/** Answers DescribePool; an empty name means all. */
export function describePool(context: AdminContext, { name }: { readonly name: string }): Answer {
  const { state, plan } = context.view;
  const asked = name === "" ? sortedPools(context) : poolsNamed(state, name);
  const usage = countUsage(plan?.leases.values() ?? []);
  const read = asked.map((seen) => ({
    row: poolRow(context.view, seen, usage),
    ...detail(context, seen.value),
  }));
  const pools = [...read, ...unreadPoolRows(context.view, name).map((row) => ({ row }))];
  const names = Array.from(state.pools.values(), ({ value }) => value.name);
  const similar = pools.length > 0 || name === "" ? undefined : nearestWord(name, names);
  return { pools, similar: similar === undefined ? [] : [similar] };
}

/** All pools by name; of one name the one that counts first. */
export function sortedPools({ view }: AdminContext): readonly Seen<AddressPool>[] {
  const names = new Set(Array.from(view.state.pools.values(), ({ value }) => value.name));
  return [...names].sort(compareText).flatMap((name) => poolsNamed(view.state, name));
}

function detail(context: AdminContext, declared: AddressPool): Detail {
  const pool = poolInUse(context.view, declared);
  const leases = [...(context.view.plan?.leases.values() ?? [])]
    .filter((lease) => lease.pool === pool.name)
    .sort((a, b) => compareAddress(a.address, b.address));
  return {
    addresses: [
      ...(pool.external === undefined ? [] : [externalText(pool.external)]),
      ...pool.ranges.map(rangeText),
    ],
    reserved: pool.reserved.map(rangeText),
    avoidBuggyIps: pool.avoidBuggyIPs,
    sharing: pool.sharing,
    quarantineMs: BigInt(pool.quarantineMs),
    onShrink: pool.onShrink,
    namespaces: [...pool.namespaces],
    labels: [...labelTexts(pool.serviceSelector)],
    agents: [...pool.agents],
    ...(pool.link === undefined ? {} : { link: pool.link }),
    leases: leases.slice(0, NAMED_MAX).map((lease) => addressRow(context, lease)),
    leasesLeftOut: BigInt(Math.max(0, leases.length - NAMED_MAX)),
    waiting: [...waitingFor(context, pool)],
  };
}

/** Reasons of who waits for an external pool; their details begin with its name. */
const OF_IPAM: ReadonlySet<Reason> = new Set(["WaitsForIpam", "IpamUnreachable", "IpamRefused"]);

/** Claims that are told that this pool is full, or waits for its IPAM. */
function waitingFor({ view }: AdminContext, { name }: AddressPool): readonly string[] {
  const waiting = [...(view.plan?.verdicts.values() ?? [])].flatMap(({ claim, main }) => {
    const isFull = main?.reason === "PoolExhausted" && main.detail.includes(` ${name} (`);
    const isAsked = main !== undefined && OF_IPAM.has(main.reason);
    if (!isFull && !(isAsked && main.detail.startsWith(`pool ${name}: `))) return [];
    return view.judged.get(claim) ?? [];
  });
  return waiting
    .sort(compareAge)
    .slice(0, NAMED_MAX)
    .map(({ id }) => claimTitle(id));
}

/** What a selector asks of labels, as kubectl writes it. */
function labelTexts({ matchLabels, matchExpressions }: LabelSelector): readonly string[] {
  const alike = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const others = matchExpressions.map((one) => {
    switch (one.operator) {
      case "In":
        return `${one.key} in (${one.values.join(", ")})`;
      case "NotIn":
        return `${one.key} notin (${one.values.join(", ")})`;
      case "Exists":
        return one.key;
      case "DoesNotExist":
        return `!${one.key}`;
      default:
        return assertNever(one, "a requirement of no kind");
    }
  });
  return [...alike.sort(compareText), ...others];
}

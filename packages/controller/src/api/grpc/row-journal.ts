// All rows that somebody watches, with what changed since when. Given lists, one after the other.
// One journal serves all watchers, each of which is no more than a version in it.

import { ListKind, type MessageInitShape, type WatchResponseSchema } from "@fairlead/wire";

import { KeyedRows, type RowChanges } from "./keyed-rows.ts";
import type { ListInit } from "./list.ts";
import { isSameRow } from "./same-row.ts";

/** A message for a watcher as the contract's table takes it. */
export type WatchInit = MessageInitShape<typeof WatchResponseSchema>;

type ControllerInit = ListInit["controller"];
type Field = "claims" | "agents" | "pools" | "addresses" | "findings";
type Rows = { readonly [Name in Field]: KeyedRows<NonNullable<ListInit[Name]>[number]> };

/** Stands between the two words of a finding's key; no name of ours has one. */
const BETWEEN = "\n";
const NO_CHANGES = { rows: [], gone: [] };

/** Every row of the kinds that are watched. */
export class RowJournal {
  #rows: Rows = emptyRows();
  #kinds: ReadonlySet<ListKind> = new Set();
  #controller: ControllerInit;
  #controllerVersion = 0;
  #version = 0;

  /** The version of the last change. */
  get version(): number {
    return this.#version;
  }

  /** Takes in a list that was made for these kinds, and forgets all others. */
  take(list: ListInit, kinds: ReadonlySet<ListKind>): void {
    const next = this.#version + 1;
    this.#keepOnly(kinds);
    const { claims, agents, pools, addresses, findings } = this.#rows;
    const changed = [
      this.#takeController(list.controller, next),
      claims.take(list.claims ?? [], next),
      agents.take(list.agents ?? [], next),
      pools.take(list.pools ?? [], next),
      addresses.take(list.addresses ?? [], next),
      findings.take(list.findings ?? [], next),
    ];
    if (changed.includes(true)) this.#version = next;
  }

  /** Every row of these kinds. */
  whole(kinds: ReadonlySet<ListKind>): WatchInit {
    const all = <Row>(kind: ListKind, rows: KeyedRows<Row>): Row[] =>
      kinds.has(kind) ? [...rows.all()] : [];
    const { claims, agents, pools, addresses, findings } = this.#rows;
    const rows: ListInit = {
      controller: this.#controller,
      claims: all(ListKind.CLAIMS, claims),
      agents: all(ListKind.AGENTS, agents),
      pools: all(ListKind.POOLS, pools),
      addresses: all(ListKind.ADDRESSES, addresses),
      findings: all(ListKind.FINDINGS, findings),
    };
    return { whole: true, rows };
  }

  /**
   * What changed of these kinds after a version; undefined when nothing did. Everything, when what
   * went since then is forgotten.
   */
  since(version: number, kinds: ReadonlySet<ListKind>): WatchInit | undefined {
    const of = <Row>(kind: ListKind, rows: KeyedRows<Row>): RowChanges<Row> | undefined =>
      kinds.has(kind) ? rows.since(version) : NO_CHANGES;
    const claims = of(ListKind.CLAIMS, this.#rows.claims);
    const agents = of(ListKind.AGENTS, this.#rows.agents);
    const pools = of(ListKind.POOLS, this.#rows.pools);
    const addresses = of(ListKind.ADDRESSES, this.#rows.addresses);
    const findings = of(ListKind.FINDINGS, this.#rows.findings);
    if (!claims || !agents || !pools || !addresses || !findings) return this.whole(kinds);
    const all = [claims, agents, pools, addresses, findings];
    const isSame = all.every(({ rows, gone }) => rows.length + gone.length === 0);
    if (isSame && this.#controllerVersion <= version) return undefined;
    return {
      rows: {
        controller: this.#controller,
        claims: [...claims.rows],
        agents: [...agents.rows],
        pools: [...pools.rows],
        addresses: [...addresses.rows],
        findings: [...findings.rows],
      },
      removed: {
        claims: [...claims.gone],
        agents: [...agents.gone],
        pools: [...pools.gone],
        addresses: [...addresses.gone],
        findings: findings.gone.map(findingKey),
      },
    };
  }

  /** A kind that is watched anew begins anew: what it was before is nobody's any more. */
  #keepOnly(kinds: ReadonlySet<ListKind>): void {
    const empty = emptyRows();
    const keep = <Name extends Field>(kind: ListKind, name: Name): Rows[Name] =>
      this.#kinds.has(kind) ? this.#rows[name] : empty[name];
    this.#rows = {
      claims: keep(ListKind.CLAIMS, "claims"),
      agents: keep(ListKind.AGENTS, "agents"),
      pools: keep(ListKind.POOLS, "pools"),
      addresses: keep(ListKind.ADDRESSES, "addresses"),
      findings: keep(ListKind.FINDINGS, "findings"),
    };
    this.#kinds = new Set(kinds);
  }

  #takeController(row: ControllerInit, version: number): boolean {
    const isSame = isSameRow(withoutTimes(this.#controller), withoutTimes(row));
    this.#controller = row;
    if (!isSame) this.#controllerVersion = version;
    return !isSame;
  }
}

/** Cycles are counted like time: that there was one is no news. */
function withoutTimes(row: ControllerInit): unknown {
  return row && { ...row, uptimeMs: 0n, cycles: 0n };
}

function emptyRows(): Rows {
  return {
    claims: new KeyedRows({ keyOf: ({ id = "" }) => id, passing: "ageMs" }),
    agents: new KeyedRows({ keyOf: ({ name = "" }) => name, passing: "lastSeenMs" }),
    pools: new KeyedRows({ keyOf: ({ name = "" }) => name }),
    addresses: new KeyedRows({ keyOf: ({ address = "" }) => address, passing: "ageMs" }),
    findings: new KeyedRows({
      keyOf: ({ subject = "", name = "" }) => `${subject}${BETWEEN}${name}`,
    }),
  };
}

function findingKey(key: string): { readonly subject: string; readonly name: string } {
  const at = key.indexOf(BETWEEN);
  return { subject: key.slice(0, at), name: key.slice(at + BETWEEN.length) };
}

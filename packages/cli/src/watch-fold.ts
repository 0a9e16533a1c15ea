// What a watcher knows: messages are folded into the newest rows, and each comes out as the rows
// that changed and those that are no more, in full. No clock and no output.

import type {
  AddressRow,
  AgentRow,
  ClaimRow,
  ControllerRow,
  FindingRow,
  PoolRow,
  WatchResponse,
} from "@fairlead/wire";

/** One row that changed, or that is no more; then `row` is what it was when it was seen last. */
export interface Change<Row> {
  readonly change: "set" | "removed";
  readonly row: Row;
  /** What it was before; undefined for a new one. */
  readonly before: Row | undefined;
}

/** What one message changed. */
export interface Changes {
  /** Absent: it is as ready as before. */
  readonly controller: Change<ControllerRow> | undefined;
  readonly claims: readonly Change<ClaimRow>[];
  readonly agents: readonly Change<AgentRow>[];
  readonly pools: readonly Change<PoolRow>[];
  readonly addresses: readonly Change<AddressRow>[];
  readonly findings: readonly Change<FindingRow>[];
}

/** Folds the messages of one call, in their order. */
export interface WatchFold {
  take(message: WatchResponse): Changes;
}

/** Makes a fold that knows nothing. */
export function createWatchFold(): WatchFold {
  const claims = new KnownRows<ClaimRow>(({ id }) => id);
  const agents = new KnownRows<AgentRow>(({ name }) => name);
  const pools = new KnownRows<PoolRow>(({ name }) => name);
  const addresses = new KnownRows<AddressRow>(({ address }) => address);
  const findings = new KnownRows<FindingRow>(findingKey, ({ remark }) =>
    JSON.stringify([remark?.reason, remark?.detail]),
  );
  let controller: ControllerRow | undefined;
  return {
    take: ({ whole, rows, removed }) => {
      const before = controller;
      controller = rows?.controller ?? before;
      return {
        controller: controllerChange(before, controller),
        claims: claims.take(rows?.claims ?? [], whole ? "others" : (removed?.claims ?? [])),
        agents: agents.take(rows?.agents ?? [], whole ? "others" : (removed?.agents ?? [])),
        pools: pools.take(rows?.pools ?? [], whole ? "others" : (removed?.pools ?? [])),
        addresses: addresses.take(
          rows?.addresses ?? [],
          whole ? "others" : (removed?.addresses ?? []),
        ),
        // Those of one name come together: one that came again as it was is no news.
        findings: findings
          .take(rows?.findings ?? [], whole ? "others" : (removed?.findings ?? []).map(findingKey))
          .filter((one) => one.change === "removed" || one.before === undefined),
      };
    },
  };
}

/** The rows of one kind. Those of one key come, and are replaced, together. */
class KnownRows<Row> {
  readonly #keyOf: (row: Row) => string;
  /** Tells rows of one key apart. */
  readonly #partOf: (row: Row) => string;
  readonly #groups = new Map<string, ReadonlyMap<string, Row>>();

  constructor(keyOf: (row: Row) => string, partOf: (row: Row) => string = () => "") {
    this.#keyOf = keyOf;
    this.#partOf = partOf;
  }

  /** Takes rows in. `others`: every key that has no row here is no more. */
  take(rows: readonly Row[], gone: readonly string[] | "others"): readonly Change<Row>[] {
    const changes: Change<Row>[] = [];
    const groups = Map.groupBy(rows, (row) => this.#keyOf(row));
    for (const [key, group] of groups) {
      const now = new Map(group.map((row) => [this.#partOf(row), row]));
      const before = this.#groups.get(key);
      this.#groups.set(key, now);
      for (const [part, row] of now) {
        changes.push({ change: "set", row, before: before?.get(part) });
      }
      for (const [part, row] of before ?? []) if (!now.has(part)) changes.push(removedRow(row));
    }
    const lost =
      gone === "others" ? [...this.#groups.keys()].filter((key) => !groups.has(key)) : gone;
    for (const key of lost) {
      for (const row of this.#groups.get(key)?.values() ?? []) changes.push(removedRow(row));
      this.#groups.delete(key);
    }
    return changes;
  }
}

function removedRow<Row>(row: Row): Change<Row> {
  return { change: "removed", row, before: row };
}

function findingKey({
  subject,
  name,
}: {
  readonly subject: string;
  readonly name: string;
}): string {
  return JSON.stringify([subject, name]);
}

function controllerChange(
  before: ControllerRow | undefined,
  row: ControllerRow | undefined,
): Change<ControllerRow> | undefined {
  if (row === undefined) return undefined;
  const isSame =
    before !== undefined &&
    before.ready === row.ready &&
    before.detail === row.detail &&
    before.standsBy === row.standsBy &&
    before.leader === row.leader &&
    before.epoch === row.epoch;
  return isSame ? undefined : { change: "set", row, before };
}

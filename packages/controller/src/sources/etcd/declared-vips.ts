// What etcd declares below `<base>/vips/`, key by key. Given lists and changes in their order; it
// knows what every key last said well, what is wrong with it now, and what a list lacked. Pure but
// for its memory.

import { type ClaimId, claimId } from "@fairlead/model";

import type { EtcdList, EtcdRow } from "../../etcd/list-prefix.ts";
import type { EtcdKeyChange } from "../../etcd/etcd-watch.ts";
import { readVirtualIp, type VirtualIp } from "../virtual-ip.ts";

/** One key. */
export interface DeclaredVip {
  /** What it says, or said last; undefined when it never said anything good. */
  readonly vip: VirtualIp | undefined;
  /** What is wrong with what it says now; undefined: nothing. */
  readonly problem: string | undefined;
  /** The claim that it declares now, well or badly; undefined where even that cannot be told. */
  readonly claim: ClaimId | undefined;
  readonly revision: bigint;
  /** Monotonic ms of the first list that lacked it; undefined: it is there. */
  readonly absentSinceMs: number | undefined;
}

/** Keys by name, as they come and go. */
export interface DeclaredVips {
  readonly vips: ReadonlyMap<string, DeclaredVip>;
  /** The latest revision that was taken in; 0 before the first list. */
  readonly revision: bigint;
  /**
   * Takes a whole list in, which may be older than changes that were taken in since it was asked
   * for. What it lacks stays until a list lacks it `absenceMs` later.
   * @returns whether etcd was put back to an older state: it has fewer revisions than it had.
   */
  takeList(list: EtcdList, nowMs: number): boolean;
  /** Takes changes of a watch in; gives the names that were seen to be deleted. */
  takeChanges(changes: readonly EtcdKeyChange[]): ReadonlySet<string>;
}

/** Makes one that knows nothing. `prefix` ends in a slash. */
export function createDeclaredVips(options: {
  readonly prefix: string;
  readonly absenceMs: number;
}): DeclaredVips {
  return new Declared(options);
}

class Declared implements DeclaredVips {
  readonly vips = new Map<string, DeclaredVip>();
  readonly #prefix: string;
  readonly #absenceMs: number;
  /** Deletions since the last list, by revision: a list that is older still has the key. */
  readonly #deleted = new Map<string, bigint>();
  revision = 0n;
  #listed = 0n;

  constructor({ prefix, absenceMs }: Parameters<typeof createDeclaredVips>[0]) {
    this.#prefix = prefix;
    this.#absenceMs = absenceMs;
  }

  takeList({ rows, revision }: EtcdList, nowMs: number): boolean {
    // Lists are no older than their asking: one below the last list is of another past.
    const isPutBack = revision < this.#listed;
    this.#listed = revision;
    const present = new Set<string>();
    for (const row of rows) {
      const name = this.#nameOf(row.key);
      const known = this.vips.get(name)?.revision ?? this.#deleted.get(name) ?? -1n;
      present.add(name);
      if (isPutBack || row.revision >= known) this.#put(row);
    }
    for (const [name, vip] of this.vips) {
      if (present.has(name) || (!isPutBack && vip.revision > revision)) continue;
      const sinceMs = vip.absentSinceMs ?? nowMs;
      if (nowMs - sinceMs >= this.#absenceMs) this.vips.delete(name);
      else this.vips.set(name, { ...vip, absentSinceMs: sinceMs });
    }
    this.#deleted.clear();
    this.revision = isPutBack || revision > this.revision ? revision : this.revision;
    return isPutBack;
  }

  takeChanges(changes: readonly EtcdKeyChange[]): ReadonlySet<string> {
    const deleted = new Set<string>();
    for (const change of changes) {
      const { revision } = change.kind === "put" ? change.row : change;
      if (revision > this.revision) this.revision = revision;
      if (change.kind === "put") {
        this.#put(change.row);
        continue;
      }
      const name = this.#nameOf(change.key);
      this.#deleted.set(name, revision);
      if (this.vips.delete(name)) deleted.add(name);
    }
    return deleted;
  }

  #nameOf(key: string): string {
    return key.slice(this.#prefix.length);
  }

  #put({ key, value, revision }: EtcdRow): void {
    const name = this.#nameOf(key);
    const known = this.vips.get(name);
    const said = known?.revision === revision ? known : readRow(name, value, known);
    this.vips.set(name, { ...said, revision, absentSinceMs: undefined });
  }
}

function readRow(
  name: string,
  value: string,
  known: DeclaredVip | undefined,
): Pick<DeclaredVip, "vip" | "problem" | "claim"> {
  const read = readVirtualIp(name, value);
  const { namespace } = read.kind === "ok" ? read.vip : read;
  const claim = namespace === undefined ? undefined : claimId("virtualip", namespace, name);
  if (read.kind === "ok") return { vip: read.vip, problem: undefined, claim };
  return { vip: known?.vip, problem: read.detail, claim };
}

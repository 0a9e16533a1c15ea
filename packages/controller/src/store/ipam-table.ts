// What must hold between rows of the IPAM service, for stores whose technology does not keep it:
// no two registrations of one address, nothing without what it belongs to, no name twice. Given all
// rows at first, and each commit's changes; it looks at what they touch alone.

import { type Address, assertNever } from "@fairlead/model";

import type { IpamChange, StoredIpam, Uuid } from "../ipam/ipam-model.ts";
import { makeStoreError } from "./store-error.ts";

/** The rows of a store as the next commit is judged by them. */
export interface IpamTable {
  /** What would not hold after the changes, lower case; undefined: all is well. */
  problem(changes: readonly IpamChange[]): string | undefined;
  /** Takes changes that were stored. */
  apply(changes: readonly IpamChange[]): void;
  /** What a registration holds, as `<class>/<address>`; undefined where there is none. */
  heldBy(uuid: string): string | undefined;
}

/** How ids of addresses begin. */
const ADDRESS = "address ";

/** What one row is to the others. */
interface Row {
  /** Its kind and key. */
  readonly id: string;
  /** The row that it cannot be without. */
  readonly needs?: string;
  /** What no other row may have. */
  readonly only?: string;
}

/** Makes it of all rows. Throws EdgeError CORRUPT where they do not fit together. */
export function createIpamTable(stored: StoredIpam): IpamTable {
  const table = new Table();
  const changes = ipamChangesOf(stored);
  const problem = table.problem(changes);
  if (problem !== undefined) {
    throw makeStoreError({ code: "CORRUPT", message: `damaged rows of the IPAM: ${problem}` });
  }
  table.apply(changes);
  return table;
}

/** The changes that would make the rows of an empty store. */
export function ipamChangesOf(stored: StoredIpam): readonly IpamChange[] {
  return [
    ...stored.classes.map((one): IpamChange => ({ kind: "put-class", class: one })),
    ...stored.netblocks.map((netblock): IpamChange => ({ kind: "put-netblock", netblock })),
    ...stored.addresses.map((one): IpamChange => ({ kind: "put-address", ...one })),
    ...stored.registrations.map((registration): IpamChange => ({
      kind: "put-registration",
      registration,
    })),
  ];
}

class Table implements IpamTable {
  readonly #rows = new Map<string, Row>();
  /** Who has what no other row may have. */
  readonly #only = new Map<string, string>();
  /** How many rows need a row. */
  readonly #needed = new Map<string, number>();

  problem(changes: readonly IpamChange[]): string | undefined {
    const after = lastWords(changes);
    const now = (id: string): Row | undefined =>
      after.has(id) ? after.get(id) : this.#rows.get(id);
    const fewer = new Map<string, number>();
    const taken = new Map<string, string>();
    for (const [id, row] of after) {
      const before = this.#rows.get(id);
      count(fewer, before?.needs, 1);
      count(fewer, row?.needs, -1);
      if (row === undefined) continue;
      if (row.needs !== undefined && now(row.needs) === undefined) {
        return `${row.id} needs ${row.needs}, which is not there`;
      }
      if (row.only === undefined) continue;
      const other = taken.get(row.only) ?? this.#only.get(row.only);
      if (other !== undefined && other !== id && now(other)?.only === row.only) {
        return `${row.id} wants ${row.only}, which ${other} has`;
      }
      taken.set(row.only, id);
    }
    for (const [id, row] of after) {
      const left = (this.#needed.get(id) ?? 0) - (fewer.get(id) ?? 0);
      if (row === undefined && left > 0) return `${id} goes, and ${left} rows need it`;
    }
    return undefined;
  }

  apply(changes: readonly IpamChange[]): void {
    for (const [id, row] of lastWords(changes)) {
      const before = this.#rows.get(id);
      count(this.#needed, before?.needs, -1);
      count(this.#needed, row?.needs, 1);
      if (before?.only !== undefined && this.#only.get(before.only) === id) {
        this.#only.delete(before.only);
      }
      if (row?.only !== undefined) this.#only.set(row.only, id);
      if (row === undefined) this.#rows.delete(id);
      else this.#rows.set(id, row);
    }
  }

  heldBy(uuid: string): string | undefined {
    return this.#rows.get(`registration ${uuid}`)?.needs?.slice(ADDRESS.length);
  }
}

function count(counts: Map<string, number>, id: string | undefined, by: number): void {
  if (id === undefined) return;
  const sum = (counts.get(id) ?? 0) + by;
  if (sum === 0) counts.delete(id);
  else counts.set(id, sum);
}

/** The last change of each row. */
function lastWords(changes: readonly IpamChange[]): ReadonlyMap<string, Row | undefined> {
  return new Map(changes.map((change) => [idOf(change), rowOf(change)]));
}

function idOf(change: IpamChange): string {
  switch (change.kind) {
    case "put-class":
      return classId(change.class.uuid);
    case "delete-class":
      return classId(change.uuid);
    case "put-netblock":
      return `netblock ${change.netblock.uuid}`;
    case "delete-netblock":
      return `netblock ${change.uuid}`;
    case "put-registration":
      return registrationId(change.registration.uuid);
    case "delete-registration":
      return registrationId(change.uuid);
    case "put-address":
      return addressId(change.class, change.lease.address);
    case "delete-address":
      return addressId(change.class, change.address);
    default:
      return assertNever(change, "unknown change of the IPAM store");
  }
}

/** Undefined: the change deletes it. */
function rowOf(change: IpamChange): Row | undefined {
  const id = idOf(change);
  switch (change.kind) {
    case "put-class":
      return { id, only: `the name ${change.class.name}` };
    case "put-netblock":
      return { id, needs: classId(change.netblock.class) };
    case "put-address":
      return { id, needs: classId(change.class) };
    case "put-registration": {
      const { class: of, address } = change.registration;
      return { id, needs: addressId(of, address), only: addressId(of, address) };
    }
    default:
      return undefined;
  }
}

function classId(uuid: Uuid): string {
  return `class ${uuid}`;
}

function registrationId(uuid: Uuid): string {
  return `registration ${uuid}`;
}

function addressId(of: Uuid, address: Address): string {
  return `${ADDRESS}${of}/${address}`;
}

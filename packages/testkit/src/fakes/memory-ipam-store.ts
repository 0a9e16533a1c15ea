// The IPAM service's store in memory. It holds its rows to the same rules as SQLite does, so that a
// change that could not be stored for real fails in a test as well. Its commits fail on command.

import type { IpamChange, IpamStore, StoredIpam } from "@fairlead/controller";
import { assertNever } from "@fairlead/model";
import { EdgeError } from "@fairlead/runtime";

import { replaceRows } from "./memory-store.ts";

/** What outlives the stores over it: rows by their kind and key. */
export interface MemoryIpamMedium {
  readonly rows: Map<string, unknown>;
}

/** Makes an empty medium. */
export function createMemoryIpamMedium(): MemoryIpamMedium {
  return { rows: new Map() };
}

/** How the store behaves. */
export interface MemoryIpamStoreOptions {
  readonly medium: MemoryIpamMedium;
  /** Whether the next commit fails, as on a full disk. Default: never. */
  readonly failing?: () => boolean;
  /** Whether the next commit is made and its answer gets lost. Default: never. */
  readonly losing?: () => boolean;
}

/** Makes a store over the medium. */
export function createMemoryIpamStore(options: MemoryIpamStoreOptions): IpamStore {
  const { medium, failing = () => false, losing = () => false } = options;
  const { rows } = medium;
  let isClosed = false;
  /** What there was before a commit whose answer was lost. */
  let wanted: ReadonlyMap<string, unknown> | undefined;

  async function open(): Promise<StoredIpam> {
    await Promise.resolve();
    return readAll(rows);
  }

  async function commit(changes: readonly IpamChange[]): Promise<void> {
    await Promise.resolve();
    if (isClosed) throw storeError("CLOSED", "the IPAM store is closed");
    if (failing()) throw storeError("NO_SPACE", "cannot write the IPAM store: the disk is full");
    if (wanted !== undefined) replaceRows(rows, wanted);
    wanted = undefined;
    const before = new Map(rows);
    try {
      for (const change of structuredClone(changes)) apply(rows, change);
      checkReferences(readAll(rows));
    } catch (error) {
      replaceRows(rows, before);
      throw error;
    }
    if (!losing()) return;
    wanted = before;
    throw storeError("TIMEOUT", "cannot write the IPAM store: nobody answered");
  }

  return {
    open,
    commit,
    [Symbol.asyncDispose]: () => {
      isClosed = true;
      return Promise.resolve();
    },
  };
}

function apply(rows: Map<string, unknown>, change: IpamChange): void {
  switch (change.kind) {
    case "put-class":
      rows.set(`class ${change.class.uuid}`, change.class);
      return;
    case "delete-class":
      rows.delete(`class ${change.uuid}`);
      return;
    case "put-netblock":
      rows.set(`netblock ${change.netblock.uuid}`, change.netblock);
      return;
    case "delete-netblock":
      rows.delete(`netblock ${change.uuid}`);
      return;
    case "put-registration":
      rows.set(`registration ${change.registration.uuid}`, change.registration);
      return;
    case "delete-registration":
      rows.delete(`registration ${change.uuid}`);
      return;
    case "put-address": {
      const { class: of, lease } = change;
      rows.set(`address ${of} ${lease.address}`, { class: of, lease });
      return;
    }
    case "delete-address":
      rows.delete(`address ${change.class} ${change.address}`);
      return;
    default:
      assertNever(change, "unknown change of the IPAM store");
  }
}

function readAll(rows: ReadonlyMap<string, unknown>): StoredIpam {
  const of = <Row>(kind: string): Row[] =>
    [...rows]
      .filter(([key]) => key.startsWith(`${kind} `))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, row]) => structuredClone(row) as Row);
  return {
    classes: of("class"),
    netblocks: of("netblock"),
    registrations: of("registration"),
    addresses: of("address"),
  };
}

/** What SQLite checks by its keys. */
function checkReferences(all: StoredIpam): void {
  const classes = new Set(all.classes.map(({ uuid }) => uuid));
  const addresses = new Set(all.addresses.map((one) => `${one.class} ${one.lease.address}`));
  const taken = new Set<string>();
  for (const one of [...all.netblocks, ...all.addresses]) {
    if (!classes.has(one.class)) throw storeError("IO", `FOREIGN KEY: no class ${one.class}`);
  }
  for (const one of all.registrations) {
    const key = `${one.class} ${one.address}`;
    if (!addresses.has(key)) throw storeError("IO", `FOREIGN KEY: no address ${key}`);
    if (taken.has(key)) throw storeError("IO", `UNIQUE: two registrations hold ${key}`);
    taken.add(key);
  }
  if (new Set(all.classes.map(({ name }) => name)).size < classes.size) {
    throw storeError("IO", "UNIQUE: two classes of one name");
  }
}

function storeError(code: "CLOSED" | "NO_SPACE" | "IO" | "TIMEOUT", message: string): EdgeError {
  return new EdgeError({ code, message, retryable: true });
}

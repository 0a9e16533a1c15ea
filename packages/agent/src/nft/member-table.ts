// The kernel's table of members, kept by the program `nft`: one transaction a change, the whole
// table when the agent starts and when somebody else touched it. That the service addresses are
// routed to the loopback is not its part; nothing else on the host uses them.

import { setImmediate } from "node:timers/promises";

import {
  type Address,
  changedKeys,
  claimTitle,
  type ListenerResource,
  patchMap,
  placeText,
} from "@fairlead/model";
import {
  MEMBER_TABLE,
  type ServiceRanges,
  type Slots,
  type TableChange,
  type TableListener,
  fillSlots,
  memberChangeScript,
  memberTableScript,
  slotFilling,
  turnOf,
  withoutTable,
} from "@fairlead/render";
import { type Logger, readFileBounded, createTurns, type Turns } from "@fairlead/runtime";

import { createConfigFile } from "../config-file.ts";
import type { MemberTable, MemberTableView, PlacedMembers, TableSlot } from "../ports.ts";
import {
  NO_PLACES,
  type PlaceBook,
  type Placeables,
  placeAll,
  placeChanged,
  placesFromText,
  placesToText,
} from "../service-places.ts";
import { leadsNowhere, nftError, readSlots } from "./kernel-slots.ts";
import { loadRules } from "./load-rules.ts";
import type { NftMonitor } from "./nft-monitor.ts";
import { type SignedTable, createSignedTable } from "./signed-table.ts";

/** What the table is made of. */
export interface MemberTableOptions {
  /** `nft`, an absolute path. */
  readonly nft: string;
  readonly ranges: ServiceRanges;
  /** The file that keeps places over restarts of the agent. */
  readonly placesFile: string;
  /** Where a long script lies while nft reads it. Default: nowhere. */
  readonly scriptFile?: string;
  readonly logger: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Tells when somebody changed a table of nftables; absent: nobody does. */
  readonly monitor?: Pick<NftMonitor, "onChange">;
}

/** So many slots are dealt in one go, in some 10 ms: the loop has daemons to look at meanwhile. */
const SLOTS_AT_ONCE = 4096;
/** 240 000 slots take 2.4 s. */
const NFT_MS_MAX = 30_000;
const PLACES_BYTES_MAX = 16 * 1024 * 1024;

/** What the table has for one listener. */
interface Filled {
  readonly entry: PlacedMembers;
  readonly table: TableListener;
  readonly slots: Slots;
}

/** By service address. */
type AllFilled = ReadonlyMap<Address, Filled>;

/**
 * Makes the table with what the places of the last agent say, without a member yet. Rejects with
 * EdgeError<MemberTableErrorCode> on a kernel that has no such tables.
 */
export async function createMemberTable(
  options: MemberTableOptions,
): Promise<MemberTable & MemberTableView> {
  const { nft: program, ranges } = options;
  const isCheck = true;
  const rules = memberTableScript(ranges, [], 0);
  orThrow(await loadRules({ program, timeoutMs: NFT_MS_MAX, isCheck }, rules));
  return new Table(options, await readPlaces(options.placesFile));
}

/** Removes the table of a host whose data plane has ended. */
export async function forgetMembers(program: string): Promise<void> {
  const text = `${withoutTable(MEMBER_TABLE)}\n`;
  orThrow(await loadRules({ program, timeoutMs: NFT_MS_MAX }, text));
}

class Table implements MemberTable, MemberTableView {
  readonly #options: MemberTableOptions;
  readonly #inTurn: Turns = createTurns();
  #book: PlaceBook;
  /** The listeners that `#book` was made of; undefined while it is the last agent's. */
  #placed: Placeables | undefined;
  /** What `#filled` was made of. */
  #listeners: ReadonlyMap<Address, PlacedMembers> = new Map();
  #filled: AllFilled = new Map();
  /** Whether the kernel's table is what `#filled` says. */
  #isWhole = false;
  /** Whether the kernel has none of ours. */
  isLost = false;
  readonly #table: SignedTable;
  readonly #onDrift = new Set<() => void>();

  constructor(options: MemberTableOptions, book: PlaceBook) {
    this.#options = options;
    this.#book = book;
    this.#table = createSignedTable({
      ...options,
      program: options.nft,
      table: MEMBER_TABLE,
      timeoutMs: NFT_MS_MAX,
      onForeign: (isUnwatched) => this.#changed(isUnwatched),
    });
  }

  place(listeners: Parameters<MemberTable["place"]>[0]): ReturnType<MemberTable["place"]> {
    return this.#inTurn(async () => {
      const { ranges } = this.#options;
      const before = this.#placed;
      const book =
        before === undefined
          ? placeAll(this.#book, listeners, ranges)
          : placeChanged(this.#book, { before, wanted: listeners }, ranges);
      if (book !== this.#book) await this.#save(placesToText(book));
      this.#book = book;
      this.#placed = listeners;
      return book.places;
    });
  }

  fill(listeners: ReadonlyMap<Address, PlacedMembers>): Promise<void> {
    return this.#inTurn(async () => {
      const { next, changes } = await this.#decide(listeners);
      await this.#write(next, changes);
      this.#listeners = listeners;
      this.#filled = next;
    });
  }

  slots(): Promise<readonly TableSlot[]> {
    return readSlots(this.#options.nft);
  }

  get places(): PlaceBook["places"] {
    return this.#book.places;
  }

  onDrift(listener: () => void): Disposable {
    this.#onDrift.add(listener);
    return { [Symbol.dispose]: () => void this.#onDrift.delete(listener) };
  }

  /** A change that is refused met another table than was written: that one is replaced. */
  async #write(next: AllFilled, changes: readonly TableChange[]): Promise<void> {
    const { logger, ranges } = this.#options;
    const tables = (): readonly TableListener[] => tablesOf(next);
    if (this.#isWhole) {
      const change = memberChangeScript(changes, tables, this.#table.turn);
      const trouble = change === undefined ? undefined : await this.#load(change);
      if (trouble === undefined) return;
      logger.info({ table: MEMBER_TABLE, trouble: named(trouble, next) }, "written anew");
    }
    const trouble = await this.#load(memberTableScript(ranges, tables(), this.#table.turn.to));
    this.isLost = trouble !== undefined && (await leadsNowhere(this.#options.nft));
    orThrow(trouble && named(trouble, next));
  }

  /** What the table holds after one that failed is not known: the next one writes it whole. */
  async #load(script: string): Promise<string | undefined> {
    this.#isWhole = true;
    const trouble = await this.#table.load(script);
    if (trouble !== undefined) this.#isWhole = false;
    return trouble;
  }

  #changed(isUnwatched: boolean): void {
    const why = isUnwatched ? "nobody watched it until now" : "somebody may have changed it";
    this.#options.logger.info({ table: MEMBER_TABLE }, `written anew: ${why}`);
    this.#isWhole = false;
    for (const listener of this.#onDrift) listener();
  }

  /** The table belongs to the data plane, which outlives the agent. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#table[Symbol.dispose]();
    return this.#inTurn(() => Promise.resolve());
  }

  async #decide(listeners: ReadonlyMap<Address, PlacedMembers>): Promise<{
    readonly next: AllFilled;
    readonly changes: readonly TableChange[];
  }> {
    let dealt = 0;
    const differing = new Map<Address, Filled | undefined>();
    const changes: TableChange[] = [];
    for (const service of changedKeys(this.#listeners, listeners)) {
      const entry = listeners.get(service);
      const before = this.#filled.get(service);
      if (entry !== undefined && before !== undefined && isSame(before.entry, entry)) continue;
      const after = entry === undefined ? undefined : fill(entry, before);
      differing.set(service, after);
      dealt += after?.slots.length ?? 0;
      if (dealt >= SLOTS_AT_ONCE) {
        await setImmediate();
        dealt = 0;
      }
      changes.push({
        ...(before === undefined ? {} : { before: before.table }),
        ...(after === undefined ? {} : { after: after.table }),
      });
    }
    return { next: patchMap(this.#filled, differing), changes };
  }

  async #save(text: string): Promise<void> {
    const path = this.#options.placesFile;
    await createConfigFile(path, `${path}.new`).swap(text);
  }
}

function tablesOf(filled: AllFilled): readonly TableListener[] {
  return Array.from(filled.values(), ({ table }) => table);
}

/** An element of a map or of a set of listeners, where words end with one. */
const ELEMENT = /: ([0-9a-f.:]+) \. (?:(tcp|udp) \. )?(\d+)( : \S+ \. \d+)?$/;

/** Words about an element, with the listener that it is there for: nobody knows it by its slot. */
function named(words: string, filled: AllFilled): string {
  const [, address, protocol, port] = ELEMENT.exec(words) ?? [];
  if (address === undefined) return words;
  const isIts = (one: ListenerResource): boolean =>
    one.address === address && one.protocol === protocol && one.port === Number(port);
  const all = [...filled].map(([service, { entry }]) => [service, entry.listener] as const);
  const [, listener] = all.find(([service, one]) => service === address || isIts(one)) ?? [];
  if (listener === undefined) return words;
  return `${words}, of ${placeText(listener)} of ${claimTitle(listener.claim)}`;
}

function isSame(before: PlacedMembers, after: PlacedMembers): boolean {
  return (
    before.membersRevision === after.membersRevision &&
    before.place.slots === after.place.slots &&
    slotFilling(before.listener) === slotFilling(after.listener)
  );
}

function fill(entry: PlacedMembers, before: Filled | undefined): Filled {
  const { listener, members, place } = entry;
  const filling = slotFilling(listener);
  const slots = fillSlots(members.members, place.slots, filling, before?.slots);
  const { address, port, protocol } = listener;
  const takesTurns = turnOf(listener) !== undefined;
  const table = { address, port, protocol, service: place.service, slots, takesTurns };
  return { entry, slots, table };
}

async function readPlaces(path: string): Promise<PlaceBook> {
  try {
    const text = (await readFileBounded(path, PLACES_BYTES_MAX)).toString("utf8");
    return placesFromText(text) ?? NO_PLACES;
  } catch {
    // None yet, or one that cannot be read: nginx reloads with other addresses then.
    return NO_PLACES;
  }
}

function orThrow(trouble: string | undefined): void {
  if (trouble !== undefined) throw nftError(trouble);
}

// One opening of the IPAM service's rows in a cluster: its commits, one after the other. Given what
// the opening read. A commit is one write of the journal, over the version that it had; objects
// follow. One that is too large is several writes, and what it left when it broke off is put back
// by the next one.

import { randomUUID } from "node:crypto";

import type { Clock } from "@fairlead/runtime";

import type { KubeClient } from "../../kube/kube-client.ts";
import { isKubeError } from "../../kube/kube-errors.ts";
import { type ChangePlace, cutIntoPieces, type KeyChange } from "../pieces.ts";
import { makeStoreError } from "../store-error.ts";
import { packRows } from "./ipam-shards.ts";
import { type Journal, readJournal, type TakenJournal, writeJournal } from "./journal.ts";
import { ipamClosedError } from "./kube-store-errors.ts";
import type { LoadedIpam } from "./load-ipam.ts";
import { PACKED_CHARACTERS_MAX } from "./packed.ts";
import { createShardWriter, type ShardWriter } from "./shard-writer.ts";

/** A write is tried so often against late ones of our own. */
const TRIES_MAX = 5;
/** Texts of one piece at first, in bytes: they pack to a quarter, and to less than they are. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Objects have to follow within this before another piece, in ms. */
const FLUSH_MS_MAX = 30_000;

/** What a session begins with. */
export interface IpamSessionOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Where a change stands in a commit that is too large for one write. */
  readonly placeOf: (change: KeyChange) => ChangePlace;
}

/**
 * Writes under one opening. No call may begin before the one before has ended. Disposing gives up
 * what is under way, which is told CLOSED.
 */
export interface IpamSession extends AsyncDisposable {
  /**
   * Makes all changes, or rejects: nobody is told of rows that it left then. With FENCED and
   * CONFLICT it will reject for ever.
   */
  write(changes: readonly KeyChange[]): Promise<void>;
}

/** Takes the next epoch, over the journal that was read. CONFLICT: it is another one by now. */
export async function takeJournal(
  client: KubeClient,
  { journal, epochMax }: Pick<LoadedIpam, "journal" | "epochMax">,
): Promise<TakenJournal> {
  const by = randomUUID();
  const taken = await writeJournal(client, "ipam", {
    resourceVersion: journal?.resourceVersion,
    epoch: epochMax + 1,
    sequence: (journal?.sequence ?? 0) + 1,
    by,
    packed: journal?.packed ?? "",
  });
  return { ...taken, by };
}

/** Begins a session over what was read and the journal that was written after it. */
export function createIpamSession(
  options: IpamSessionOptions,
  { shards, changes }: Pick<LoadedIpam, "shards" | "changes">,
  journal: TakenJournal,
): IpamSession {
  const { client, clock } = options;
  const { epoch, by } = journal;
  const isCurrent = async (signal: AbortSignal): Promise<boolean> =>
    (await readJournal(client, "ipam", signal))?.by === by;
  const writer = createShardWriter({ client, clock, epoch, shards, isCurrent });
  writer.take(changes);
  return new Session(options, writer, journal);
}

class Session implements IpamSession {
  readonly #options: IpamSessionOptions;
  readonly #stop = new AbortController();
  /** What it asks for ends with it. */
  readonly #client: KubeClient;
  readonly #writer: ShardWriter;
  readonly #by: string;
  /** As written last, as far as that was answered. */
  #journal: Journal;
  /** Of the newest write, answered or not; those in between may have happened. */
  #sequence: number;
  /** What rows shall be that commits which failed have changed. */
  readonly #undo = new Map<string, string | undefined>();

  constructor(options: IpamSessionOptions, writer: ShardWriter, journal: TakenJournal) {
    this.#options = options;
    const { client } = options;
    this.#client = {
      ...client,
      request: (request) => client.request(request, this.#stop.signal),
    };
    this.#writer = writer;
    this.#journal = journal;
    this.#sequence = journal.sequence;
    this.#by = journal.by;
  }

  async write(changes: readonly KeyChange[]): Promise<void> {
    const asked = new Map(changes.map(({ key, value }) => [key, value]));
    const before = [...asked.keys()].map((key): [string, string | undefined] => [
      key,
      this.#undo.has(key) ? this.#undo.get(key) : this.#writer.row(key),
    ]);
    try {
      const wanted = [...new Map([...this.#undo, ...asked])]
        .map(([key, value]) => ({ key, value }))
        .filter(({ key, value }) => this.#writer.row(key) !== value);
      // What had no answer may stand in the journal, and is not wanted there.
      const isInDoubt = this.#sequence > this.#journal.sequence;
      if (wanted.length > 0 || isInDoubt) await this.#writeAll(wanted);
      this.#undo.clear();
    } catch (error) {
      for (const [key, value] of before) this.#undo.set(key, value);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(ipamClosedError());
    await this.#writer[Symbol.asyncDispose]();
  }

  async #writeAll(wanted: readonly KeyChange[]): Promise<void> {
    const writer = this.#writer;
    const whole = await packRows(lastWords([...writer.pending(), ...wanted]));
    if (whole.length <= PACKED_CHARACTERS_MAX) return await this.#writeOne(whole, wanted);
    for (const { packed, piece } of await this.#cut(wanted)) {
      await writer.flush(FLUSH_MS_MAX);
      await this.#writeOne(packed, piece);
    }
  }

  async #writeOne(packed: string, changes: readonly KeyChange[]): Promise<void> {
    await this.#replace(packed);
    this.#writer.take(changes);
  }

  /** In pieces that the journal takes while nothing else is in it. */
  async #cut(
    wanted: readonly KeyChange[],
  ): Promise<readonly { readonly packed: string; readonly piece: readonly KeyChange[] }[]> {
    for (let bytes = PIECE_BYTES; ; bytes /= 2) {
      const pieces = cutIntoPieces(wanted, this.#options.placeOf, { changes: Infinity, bytes });
      const all = await Promise.all(
        pieces.map(async (piece) => ({ packed: await packRows(piece), piece })),
      );
      if (all.every(({ packed }) => packed.length <= PACKED_CHARACTERS_MAX)) return all;
    }
  }

  async #replace(packed: string): Promise<void> {
    const client = this.#client;
    const by = this.#by;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const { resourceVersion, epoch } = this.#journal;
      this.#sequence += 1;
      const next = { resourceVersion, epoch, sequence: this.#sequence, by, packed };
      try {
        this.#journal = await writeJournal(client, "ipam", next);
        return;
      } catch (error) {
        // Other errors say nothing of whether it stands there.
        if (!isKubeError(error, "CONFLICT", "NOT_FOUND")) throw error;
      }
      this.#journal = this.#ours(await readJournal(client, "ipam"));
    }
    const message = "cannot write the IPAM of the cluster: its journal changes all the time";
    throw makeStoreError({ code: "BUSY", message });
  }

  /** The journal that stands where ours did, if it is one of ours that had no answer. */
  #ours(found: Journal | undefined): Journal {
    const { epoch, sequence } = this.#journal;
    if (found?.by === this.#by && found.sequence >= sequence) return found;
    if (found !== undefined && found.epoch > epoch) {
      const message = "another controller took the IPAM of the cluster";
      throw makeStoreError({ code: "FENCED", message });
    }
    const message = "the IPAM of the cluster was put back to an older state while it is in use";
    throw makeStoreError({ code: "CONFLICT", message });
  }
}

/** The last change of each row. */
function lastWords(changes: readonly KeyChange[]): readonly KeyChange[] {
  return [...new Map(changes.map((change) => [change.key, change])).values()];
}

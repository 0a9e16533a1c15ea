// The journal of the store: one object that every commit replaces, over the version that it read.
// So a commit is one write, whole or not at all, and one of an earlier epoch cannot be. It holds
// the changes that rows' own objects may not show yet. Given a client; it knows nothing of those.

import type { KubeClient } from "../../kube/kube-client.ts";
import { isKubeError } from "../../kube/kube-errors.ts";
import { childOf, isJson, type Json, textOf } from "../../kube/object-fields.ts";
import type { StoreChange } from "../../ports.ts";
import { makeStoreError } from "../store-error.ts";
import { PACKED_CHARACTERS_MAX, packList, unpackList } from "./packed.ts";
import { API_ROOT, readChangeJson, readEpoch, storedObject } from "./stored-objects.ts";

/** Which journal there is: of leases, lanes and intents, or of the IPAM service. */
export type JournalName = "journal" | "ipam";

const PATH = `${API_ROOT}/storejournals`;

/** A journal as it was read. */
export interface Journal {
  readonly resourceVersion: string;
  readonly epoch: number;
  /** Grows with each write; tells whose write it was that an answer was lost of. */
  readonly sequence: number;
  /** Which opening wrote it, made anew at each. Absent: an earlier release wrote it. */
  readonly by?: string;
  /** Packed, as it stands. */
  readonly packed: string;
}

/** The journal of an opening, once it is written. */
export interface TakenJournal extends Journal {
  readonly by: string;
}

/** Reads the journal; undefined when there is none yet. Rejects when `signal` is aborted. */
export async function readJournal(
  client: KubeClient,
  name: JournalName,
  signal?: AbortSignal,
): Promise<Journal | undefined> {
  try {
    const answer = await client.request({ method: "GET", path: `${PATH}/${name}` }, signal);
    return journalOf(answer);
  } catch (error) {
    // Without its kind the lists of rows say so too.
    if (isKubeError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}

/** Replaces it, or makes it where `resourceVersion` is undefined; CONFLICT when it is another. */
export async function writeJournal(
  client: KubeClient,
  name: JournalName,
  journal: Omit<Journal, "resourceVersion"> & { readonly resourceVersion: string | undefined },
): Promise<Journal> {
  const { resourceVersion, epoch, sequence, by, packed } = journal;
  const spec = { sequence, ...(by === undefined ? {} : { by }), changes: packed };
  const body = storedObject({ kind: "StoreJournal", name }, spec, { epoch, resourceVersion });
  const answer = await client.request(
    resourceVersion === undefined
      ? { method: "POST", path: PATH, body }
      : { method: "PUT", path: `${PATH}/${name}`, body },
  );
  return journalOf(answer);
}

/** Packs changes. Rejects with NO_SPACE when they are more than one object takes. */
export async function packChanges(changes: readonly StoreChange[]): Promise<string> {
  const packed = await packList(changes);
  if (packed.length <= PACKED_CHARACTERS_MAX) return packed;
  const message = `the store takes no ${changes.length} changes at once; etcd does`;
  throw makeStoreError({ code: "NO_SPACE", message });
}

/** Unpacks them. Rejects with CORRUPT for what is no list of changes. */
export async function unpackChanges(packed: string): Promise<readonly StoreChange[]> {
  const changes = await unpackList(packed, "journal");
  if (!changes.every(isJson)) {
    throw makeStoreError({ code: "CORRUPT", message: "damaged journal: it is no list" });
  }
  return changes.map((change: Json) => readChangeJson(change));
}

function journalOf(answer: unknown): Journal {
  const object = isJson(answer) ? answer : {};
  const spec = childOf(object, "spec");
  const { sequence } = spec;
  const by = textOf(spec, "by");
  return {
    resourceVersion: textOf(childOf(object, "metadata"), "resourceVersion") ?? "",
    epoch: readEpoch(object),
    sequence: typeof sequence === "number" ? sequence : 0,
    ...(by === undefined ? {} : { by }),
    packed: textOf(spec, "changes") ?? "",
  };
}

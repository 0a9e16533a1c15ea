// The journal of the store: one object that every commit replaces, over the version that it read.
// So a commit is one write, whole or not at all, and one of an earlier epoch cannot be. It holds
// the changes that rows' own objects may not show yet. Given a client; it knows nothing of those.

import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

import type { KubeClient } from "../../kube/kube-client.ts";
import { isKubeError } from "../../kube/kube-errors.ts";
import { childOf, isJson, type Json, textOf } from "../../kube/object-fields.ts";
import type { StoreChange } from "../../ports.ts";
import { makeStoreError } from "../store-error.ts";
import { API_ROOT, API_VERSION, readChangeJson, readEpoch } from "./stored-objects.ts";

/** The name of the one journal. */
const NAME = "journal";
const PATH = `${API_ROOT}/storejournals`;
/** etcd takes 1.5 MB for one object; a row takes some 40 bytes here, as rows are much alike. */
const CHARACTERS_MAX = 1_200_000;
/** A journal that unpacks to more is none of ours, in bytes. */
const BYTES_MAX = 64 * 1024 * 1024;

/** The journal as it was read. */
export interface Journal {
  readonly resourceVersion: string;
  readonly epoch: number;
  /** Grows with each write; tells whose write it was that an answer was lost of. */
  readonly sequence: number;
  /** Packed, as it stands. */
  readonly packed: string;
}

/** Reads the journal; undefined when there is none yet. */
export async function readJournal(client: KubeClient): Promise<Journal | undefined> {
  try {
    const answer = await client.request({ method: "GET", path: `${PATH}/${NAME}` });
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
  journal: Omit<Journal, "resourceVersion"> & { readonly resourceVersion: string | undefined },
): Promise<Journal> {
  const { resourceVersion, epoch, sequence, packed } = journal;
  const version = resourceVersion === undefined ? {} : { resourceVersion };
  const body = {
    apiVersion: API_VERSION,
    kind: "StoreJournal",
    metadata: { name: NAME, ...version },
    epoch,
    spec: { sequence, changes: packed },
  };
  const answer = await client.request(
    resourceVersion === undefined
      ? { method: "POST", path: PATH, body }
      : { method: "PUT", path: `${PATH}/${NAME}`, body },
  );
  return journalOf(answer);
}

/** Packs changes. Rejects with NO_SPACE when they are more than one object takes. */
export async function packChanges(changes: readonly StoreChange[]): Promise<string> {
  if (changes.length === 0) return "";
  const packed = (await promisify(gzip)(JSON.stringify(changes))).toString("base64");
  if (packed.length <= CHARACTERS_MAX) return packed;
  const message = `the store takes no ${changes.length} changes at once; etcd does`;
  throw makeStoreError({ code: "NO_SPACE", message });
}

/** Unpacks them. Rejects with CORRUPT for what is no list of changes. */
export async function unpackChanges(packed: string): Promise<readonly StoreChange[]> {
  if (packed === "") return [];
  let changes: unknown;
  try {
    const bytes = Buffer.from(packed, "base64");
    const text = await promisify(gunzip)(bytes, { maxOutputLength: BYTES_MAX });
    changes = JSON.parse(text.toString("utf8"));
  } catch (cause) {
    throw makeStoreError({ code: "CORRUPT", message: "damaged journal: it is not packed", cause });
  }
  if (!Array.isArray(changes) || !changes.every(isJson)) {
    throw makeStoreError({ code: "CORRUPT", message: "damaged journal: it is no list" });
  }
  return changes.map((change: Json) => readChangeJson(change));
}

function journalOf(answer: unknown): Journal {
  const object = isJson(answer) ? answer : {};
  const spec = childOf(object, "spec");
  const { sequence } = spec;
  return {
    resourceVersion: textOf(childOf(object, "metadata"), "resourceVersion") ?? "",
    epoch: readEpoch(object),
    sequence: typeof sequence === "number" ? sequence : 0,
    packed: textOf(spec, "changes") ?? "",
  };
}

// Opens a store in etcd: reads everything and takes the next epoch. Given the client. A store that
// cannot be read takes no epoch; what somebody wrote meanwhile is read again, and after the
// epoch is taken nobody else can write.

import { randomUUID } from "node:crypto";

import type { EtcdClient } from "../../etcd/etcd-client.ts";
import type { EtcdRow } from "../../etcd/list-prefix.ts";
import { makeStoreError } from "../store-error.ts";
import { formatTerm, readTerm, type Term } from "./term.ts";

/** Controllers that take epochs at the same moment meet as often as there are controllers. */
const TRIES_MAX = 10;

/** What is opened. */
export interface OpenStoreOptions<State> {
  readonly client: EtcdClient;
  /** All keys of the store begin with `prefix`, and `term` is one of them. */
  readonly keys: { readonly prefix: string; readonly term: string };
  /** Reads the rows among all keys; throws an EdgeError for one that is damaged. */
  readonly read: (rows: readonly EtcdRow[]) => State;
}

/** What an opening found, and the term that it wrote. */
export interface Opened<State> {
  readonly term: Term;
  readonly state: State;
  /** All keys of the store with their texts, without the term. */
  readonly rows: readonly (readonly [key: string, value: string])[];
}

/** Reads and takes. Rejects with an EdgeError; a store that cannot be read takes no epoch. */
export async function openStore<State>(options: OpenStoreOptions<State>): Promise<Opened<State>> {
  const { client, keys } = options;
  const first = await load(options);
  const by = randomUUID();
  let before = first.term;
  for (let left = TRIES_MAX; left > 0; left -= 1) {
    const term: Term = { epoch: (before?.term.epoch ?? 0) + 1, commit: 0, by };
    const text = formatTerm(term);
    const { term: key } = keys;
    const result = await client.transact({
      conditions: [
        before === undefined ? { kind: "absent", key } : { kind: "holds", key, value: before.text },
      ],
      changes: [{ key, value: text }],
    });
    const found = result.kind === "done" ? text : result.found.get(key);
    if (found === text) {
      const isSame = before?.text === first.term?.text;
      const { rows, state } = isSame ? first : await load(options);
      return { term, rows, state };
    }
    before = found === undefined ? undefined : { text: found, term: readTerm(key, found) };
  }
  const message = `cannot open the store in ${client.name}: others take its epochs all the time`;
  throw makeStoreError({ code: "BUSY", message });
}

interface Loaded<State> extends Omit<Opened<State>, "term"> {
  readonly term: { readonly text: string; readonly term: Term } | undefined;
}

async function load<State>(options: OpenStoreOptions<State>): Promise<Loaded<State>> {
  const { client, keys, read } = options;
  const { rows } = await client.list(keys.prefix);
  const isTerm = ({ key }: EtcdRow): boolean => key === keys.term;
  const text = rows.find(isTerm)?.value;
  return {
    // First, as only it can say that a newer release wrote the rows.
    term: text === undefined ? undefined : { text, term: readTerm(keys.term, text) },
    rows: rows.filter((row) => !isTerm(row)).map(({ key, value }) => [key, value]),
    state: read(rows),
  };
}

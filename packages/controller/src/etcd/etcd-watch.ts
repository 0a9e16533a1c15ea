// Follows the keys of a prefix over one stream to one member. Given a revision to begin at. It ends
// by itself when the stream does, when the history is compacted away, or when nothing is heard for
// too long, and says so once; it never begins again by itself.

import type { Clock, Timer } from "@fairlead/runtime";
import type { Etcd3, IWatchResponse } from "etcd3";

import { type EtcdError, etcdError, makeEtcdError } from "./etcd-errors.ts";
import { type EtcdRow, prefixEnd, readRow } from "./list-prefix.ts";

/** What a watch tells. */
export interface EtcdEvents {
  /** Changes in their order; `deleted` rows have no value. */
  readonly onChanges: (changes: readonly EtcdKeyChange[]) => void;
  /** It is over; code COMPACTED when changes were missed. Told at most once. */
  readonly onEnd: (error: EtcdError) => void;
}

/** One change of one key. */
export type EtcdKeyChange =
  | { readonly kind: "put"; readonly row: EtcdRow }
  | { readonly kind: "deleted"; readonly key: string; readonly revision: bigint };

/** A watch that runs until it is disposed or ends. */
export type EtcdWatch = Disposable;

/** What a watch is made of. */
export interface EtcdWatchMaking {
  readonly prefix: string;
  readonly revision: bigint;
  /** The etcd, for messages. */
  readonly name: string;
  /** How long the member has to say that it watches, in ms. */
  readonly tryMs: number;
  readonly clock: Clock;
  readonly events: EtcdEvents;
}

/** Opens it. Resolves when the member watches; rejects when it does not. */
export async function openEtcdWatch(etcd: Etcd3, making: EtcdWatchMaking): Promise<EtcdWatch> {
  const { prefix, revision, name, tryMs, clock, events } = making;
  const stream = await etcd.watchClient.watch();
  const { promise: created, resolve, reject } = Promise.withResolvers<void>();
  let state: "opening" | "open" | "over" = "opening";
  const end = (error: EtcdError): void => {
    const before = state;
    state = "over";
    timer.cancel();
    stream.cancel();
    if (before === "opening") reject(error);
    if (before === "open") events.onEnd(error);
  };
  const timer: Timer = clock.setTimer(tryMs, () => {
    end(makeEtcdError({ code: "TIMEOUT", message: `cannot watch ${name}: no answer in time` }));
  });
  stream.on("error", (error) => end(etcdError(error, `cannot watch ${name}`)));
  stream.on("end", () => {
    end(makeEtcdError({ code: "UNREACHABLE", message: `the watch of ${name} ended` }));
  });
  stream.on("data", (answer) => {
    if (state === "over") return;
    if (answer.canceled) {
      end(cancelledError(answer, name));
      return;
    }
    if (answer.created && state === "opening") {
      timer.cancel();
      state = "open";
      resolve();
    }
    const changes = readChanges(answer);
    if (changes.length > 0) events.onChanges(changes);
  });
  stream.write({
    create_request: {
      key: Buffer.from(prefix),
      range_end: prefixEnd(prefix),
      start_revision: revision.toString(),
    },
  });
  await created;
  return {
    [Symbol.dispose]: () => {
      state = "over";
      stream.cancel();
    },
  };
}

function cancelledError(answer: IWatchResponse, name: string): EtcdError {
  const isCompacted = answer.compact_revision !== "0";
  const why = isCompacted ? "the history is compacted" : answer.cancel_reason;
  const message = `the watch of ${name} ended: ${why}`;
  return makeEtcdError({ code: isCompacted ? "COMPACTED" : "SERVER", message });
}

function readChanges({ events }: IWatchResponse): readonly EtcdKeyChange[] {
  return events.map((event) => {
    const row = readRow(event.kv);
    // The package's types say "Delete", and the wire says "DELETE".
    return event.type.toUpperCase() === "DELETE"
      ? { kind: "deleted", key: row.key, revision: row.revision }
      : { kind: "put", row };
  });
}

// A row made durable in a transaction of its own by what a store stands on, and by nothing of ours:
// the floor of what a store of ours may take. Given where; the settings are those of our stores.

import { DatabaseSync } from "node:sqlite";

import { Client, credentials } from "@grpc/grpc-js";

/** Writes rows, each of a new key. */
export interface BareWrites extends Disposable {
  /** Returns, or resolves, once the row is durable. */
  write(key: string, row: string): Promise<void> | void;
}

/** One INSERT a transaction into a file of SQLite. */
export function bareSqlite(path: string): BareWrites {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE rows (key TEXT PRIMARY KEY, row TEXT) STRICT, WITHOUT ROWID");
  const insert = database.prepare("INSERT INTO rows (key, row) VALUES (?, ?)");
  return {
    write: (key, row) => void insert.run(key, row),
    [Symbol.dispose]: () => database.close(),
  };
}

/** A put, in a transaction without conditions, by gRPC to one member of an etcd. */
export function bareEtcd(url: string): BareWrites {
  const client = new Client(new URL(url).host, credentials.createInsecure());
  return {
    write: (key, row) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          "/etcdserverpb.KV/Txn",
          (bytes: Buffer) => bytes,
          (bytes) => bytes,
          putTransaction(`/bare/${key}`, row),
          (error) => (error === null ? resolve() : reject(error)),
        );
      }),
    [Symbol.dispose]: () => client.close(),
  };
}

/** `TxnRequest { success: [{ request_put: { key, value } }] }`, of etcd's rpc.proto. */
function putTransaction(key: string, value: string): Buffer {
  const put = Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))]);
  return field(2, field(2, put));
}

/** A field of protobuf that has a length. */
function field(number: number, bytes: Buffer): Buffer {
  const head = [(number << 3) | 2];
  let left = bytes.length;
  for (; left > 0x7f; left >>>= 7) head.push((left & 0x7f) | 0x80);
  head.push(left);
  return Buffer.concat([Buffer.from(head), bytes]);
}

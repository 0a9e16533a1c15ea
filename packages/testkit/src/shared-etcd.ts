// One etcd of one member for all tests of a file, as starting it costs each of them a second. Given
// the program. Tests are kept apart by base paths; one that kills or compacts it starts its own.

import { after } from "node:test";

import { type EtcdCluster, startEtcdCluster } from "@fairlead/lab";

/** A place of its own in the etcd. */
export interface EtcdPlace {
  readonly etcd: EtcdCluster;
  /** No other place has it, and none is below it: `/test/1`. */
  readonly base: string;
  /** As `--store` takes it: `etcd:URL`. */
  readonly store: string;
}

/** Gives places; the etcd starts with the first one, and ends with the file's tests. */
export function shareEtcd(program: string): () => Promise<EtcdPlace> {
  let starting: Promise<EtcdCluster> | undefined;
  let places = 0;
  after(async () => {
    await (await starting)?.[Symbol.asyncDispose]();
  });
  return async () => {
    starting ??= startEtcdCluster({ program });
    places += 1;
    const base = `/test/${places}`;
    const etcd = await starting;
    return { etcd, base, store: `etcd:${etcd.urls.join(",")}` };
  };
}

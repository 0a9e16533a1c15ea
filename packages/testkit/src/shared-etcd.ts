// One etcd for all tests of a file, as starting it costs each of them a second. Given the program
// and how many members it has. Tests are kept apart by base paths; one that kills or compacts it
// starts its own.

import { after } from "node:test";

import { type EtcdCluster, startEtcdCluster } from "@fairlead/lab";
import { present } from "@fairlead/model";

/** A place of its own in the etcd. */
export interface EtcdPlace {
  readonly etcd: EtcdCluster;
  /** No other place has it, and none is below it: `/test/1`. */
  readonly base: string;
  /** As `--store` takes it: `etcd:URL[,URL]`. */
  readonly store: string;
  /** The same for each member, which is asked first there. */
  readonly storeByMember: readonly string[];
}

/** How the etcd is started. */
export interface SharedEtcdOptions {
  /** An odd number. Default: 1. */
  readonly members?: number;
}

/** Gives places; the etcd starts with the first one, and ends with the file's tests. */
export function shareEtcd(
  program: string,
  { members = 1 }: SharedEtcdOptions = {},
): () => Promise<EtcdPlace> {
  let starting: Promise<EtcdCluster> | undefined;
  let places = 0;
  after(async () => {
    await (await starting)?.[Symbol.asyncDispose]();
  });
  return async () => {
    starting ??= startEtcdCluster({ program, members });
    places += 1;
    const base = `/test/${places}`;
    const etcd = await starting;
    const { urls } = etcd;
    const storeByMember = urls.map((_, first) => {
      return `etcd:${[...urls.slice(first), ...urls.slice(0, first)].join(",")}`;
    });
    return { etcd, base, store: present(storeByMember[0], "an etcd has a member"), storeByMember };
  };
}

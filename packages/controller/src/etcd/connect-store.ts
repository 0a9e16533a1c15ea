// A client for tests, of an etcd that is written as `--store` takes it. It knows no files: an etcd
// with certificates is connected to by the settings.

import { assert } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import { readEtcdUrls } from "./etcd-access.ts";
import { createEtcdClient, type EtcdClient } from "./etcd-client.ts";

/** Connects to `etcd:URL[,URL]`. */
export function connectStore(store: string, clock: Clock): EtcdClient {
  const read = readEtcdUrls(store);
  assert(read.kind === "ok", `${store} names an etcd`);
  return createEtcdClient({ access: read.access, clock });
}

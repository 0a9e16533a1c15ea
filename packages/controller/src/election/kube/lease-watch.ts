// Follows the Lease while this controller stands by, so that it learns at once that the lead was
// given up. Given a client and whom to tell. It is a hint: when it ends or says nothing, the
// election looks by itself.

import type { KubeClient } from "../../kube/kube-client.ts";
import { childOf, isJson } from "../../kube/object-fields.ts";
import { LEASE_NAME, type LeaseRecord, readLeaseRecord } from "./lease-record.ts";

/** The server ends a watch after this long, in seconds. */
const WATCH_SECONDS = 300;

/** A watch of one Lease. */
export interface LeaseWatch extends AsyncDisposable {
  /** Follows from this version on, unless it follows already; undefined ends it. */
  follow(resourceVersion: string | undefined): void;
  isFollowing(): boolean;
}

/** Makes it; nothing is watched before `follow`. */
export function createLeaseWatch(options: {
  readonly client: KubeClient;
  /** Of the Leases of the namespace. */
  readonly path: string;
  /** The Lease changed; undefined: it was deleted. */
  readonly onRecord: (record: LeaseRecord | undefined) => void;
}): LeaseWatch {
  const { client, path, onRecord } = options;
  let watching: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  async function watch(resourceVersion: string, stop: AbortController): Promise<void> {
    const query = {
      watch: "true",
      fieldSelector: `metadata.name=${LEASE_NAME}`,
      resourceVersion,
      timeoutSeconds: String(WATCH_SECONDS),
    };
    const watcher = {
      signal: stop.signal,
      onOpen: () => undefined,
      onLine: (line: unknown) => {
        if (stop.signal.aborted || !isJson(line)) return;
        if (line["type"] === "DELETED") onRecord(undefined);
        else if (line["type"] !== "ERROR") {
          const record = readLeaseRecord(childOf(line, "object"));
          if (record !== undefined) onRecord(record);
        }
      },
    };
    // However it ends, the election looks again in its own time and follows anew.
    await client.watch({ method: "GET", path, query }, watcher).catch(() => undefined);
    if (watching?.stop === stop) watching = undefined;
  }

  return {
    follow: (resourceVersion) => {
      if (resourceVersion === undefined) {
        watching?.stop.abort(new Error("no longer of interest"));
        watching = undefined;
        return;
      }
      if (watching !== undefined) return;
      const stop = new AbortController();
      watching = { stop, ended: Promise.resolve() };
      watching = { stop, ended: watch(resourceVersion, stop) };
    },
    isFollowing: () => watching !== undefined,
    [Symbol.asyncDispose]: async () => {
      const ended = watching?.ended;
      watching?.stop.abort(new Error("stopped"));
      await ended;
    },
  };
}

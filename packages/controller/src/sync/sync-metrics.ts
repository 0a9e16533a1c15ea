// What the stream's server counts, as a small port, and that port on the metrics of a program.
// Given those; a message is counted where it is read or written, not where it is understood.

import type { Metrics } from "@fairlead/runtime";
import { AgentService, serviceDefinition, type UpdateRefusal } from "@fairlead/wire";

/** What the stream's server tells. */
export interface SyncMetrics {
  streamsOpen(count: number): void;
  /** A message was written; its bytes. */
  sent(bytes: number): void;
  /** A message was read; its bytes. */
  received(bytes: number): void;
  updateSent(): void;
  updateRefused(refusal: UpdateRefusal): void;
}

/** Tells nobody. */
export const NO_SYNC_METRICS: SyncMetrics = {
  streamsOpen: () => {},
  sent: () => {},
  received: () => {},
  updateSent: () => {},
  updateRefused: () => {},
};

/** Registers the metrics of the stream's server. */
export function createSyncMetrics(metrics: Metrics): SyncMetrics {
  const streams = metrics.gauge({
    name: "sync_streams",
    help: "Agents whose stream is open.",
  });
  const bytes = metrics.counter({
    name: "sync_bytes_total",
    help: "Bytes of messages on agents' streams, by direction.",
    labels: ["direction"],
  });
  const updates = metrics.counter({
    name: "sync_updates_total",
    help: "Updates sent to agents.",
  });
  const refusals = metrics.counter({
    name: "sync_updates_refused_total",
    help: "Updates that agents refused whole, by their reason.",
    labels: ["reason"],
  });
  return {
    streamsOpen: (count) => streams.set(count),
    sent: (count) => bytes.inc({ direction: "sent" }, count),
    received: (count) => bytes.inc({ direction: "received" }, count),
    updateSent: () => updates.inc(),
    updateRefused: (refusal) => refusals.inc({ reason: refusal }),
  };
}

type SyncMethod = ReturnType<typeof serviceDefinition<typeof AgentService>>["sync"];

/** The method that agents call, with the bytes of its messages counted. */
export function countedSync(metrics: SyncMetrics): SyncMethod {
  const { sync } = serviceDefinition(AgentService);
  return {
    ...sync,
    requestDeserialize: (bytes: Buffer) => {
      metrics.received(bytes.length);
      return sync.requestDeserialize(bytes);
    },
    responseSerialize: (message: Parameters<SyncMethod["responseSerialize"]>[0]) => {
      const bytes = sync.responseSerialize(message);
      metrics.sent(bytes.length);
      return bytes;
    },
  };
}

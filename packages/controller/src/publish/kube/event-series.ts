// Events that repeat: one Event with a count, as events.k8s.io has it, and not an Event each time.
// Keeps what was told in the last minutes, bounded. Given the time; it writes nothing itself.

import type { KubeRequest } from "../../kube/kube-client.ts";
import { EVENT_MANAGER, type ServiceRecord } from "../../kube/service-record.ts";
import type { EventDraft } from "./event-words.ts";

/** What comes again after a longer time is another Event, in ms. */
const SERIES_MS = 360_000;
/** A count is written at once when the first repeats, and then no more often than this, in ms. */
const COUNT_MS_MIN = 30_000;
/** Most Events that are remembered; the oldest is forgotten first. */
const REMEMBERED_MAX = 4000;

/** The Service that an Event is about. */
export type Regarding = Pick<ServiceRecord, "namespace" | "name" | "uid" | "resourceVersion">;

/** One Event, with how often it happened. Changed by its keeper alone. */
export interface EventSeries {
  readonly key: string;
  readonly regarding: Regarding;
  readonly draft: EventDraft;
  /** Name of the object, unique in its namespace. */
  readonly name: string;
  /** Epoch ms. */
  readonly firstWallMs: number;
  lastWallMs: number;
  /** Monotonic ms. */
  lastMs: number;
  count: number;
  /** The count that stands in the cluster; 0: the Event is not there yet. */
  saidCount: number;
  saidMs: number;
}

/** What recording makes of a draft. */
export interface SeriesBook {
  /** The series that one more of these is in; a new one unless the last was a moment ago. */
  count(
    regarding: Regarding,
    draft: EventDraft,
    at: { readonly nowMs: number; readonly wallMs: number; readonly name: string },
  ): EventSeries;
  /** It could not be written: the next of its kind is a new Event. */
  forget(series: EventSeries): void;
}

/** Makes an empty book. */
export function createSeriesBook(): SeriesBook {
  /** In the order of their last time. */
  const known = new Map<string, EventSeries>();
  return {
    count: (regarding, draft, { nowMs, wallMs, name }) => {
      const key = [regarding.uid, draft.reason, draft.about].join("\n");
      const before = known.get(key);
      known.delete(key);
      for (const [oldest, { lastMs }] of known) {
        if (nowMs - lastMs < SERIES_MS && known.size < REMEMBERED_MAX) break;
        known.delete(oldest);
      }
      const times = { firstWallMs: wallMs, lastWallMs: wallMs, lastMs: nowMs };
      const fresh = { key, regarding, draft, name, ...times, count: 0, saidCount: 0, saidMs: 0 };
      const isSame = before !== undefined && nowMs - before.lastMs < SERIES_MS;
      const series: EventSeries = isSame ? before : fresh;
      series.count += 1;
      series.lastMs = nowMs;
      series.lastWallMs = wallMs;
      known.set(key, series);
      return series;
    },
    forget: (series) => {
      if (known.get(series.key) === series) known.delete(series.key);
    },
  };
}

/** When what is not written of it yet may be, monotonic ms; undefined: all is written. */
export function seriesDueMs({ count, saidCount, saidMs }: EventSeries): number | undefined {
  if (count === saidCount) return undefined;
  return saidCount < 2 ? Number.NEGATIVE_INFINITY : saidMs + COUNT_MS_MIN;
}

/** The request that makes the cluster say what the series says now. */
export function seriesRequest(series: EventSeries, instance: string): KubeRequest {
  const { regarding, draft, name, firstWallMs, lastWallMs, count, saidCount } = series;
  const { namespace } = regarding;
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  const query = { fieldManager: EVENT_MANAGER };
  if (saidCount > 0) {
    return {
      method: "PATCH",
      path: `${path}/${name}`,
      query,
      contentType: "application/merge-patch+json",
      body: { series: { count, lastObservedTime: microTime(lastWallMs) } },
    };
  }
  const { reason, action, type, note } = draft;
  return {
    method: "POST",
    path,
    query,
    body: {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { namespace, name },
      eventTime: microTime(firstWallMs),
      reportingController: REPORTING_CONTROLLER,
      reportingInstance: instance,
      action,
      reason,
      type,
      note,
      regarding: { apiVersion: "v1", kind: "Service", ...regarding },
      // It repeated before it could be written.
      ...(count > 1 ? { series: { count, lastObservedTime: microTime(lastWallMs) } } : {}),
    },
  };
}

const REPORTING_CONTROLLER = "fairlead.io/controller";

function microTime(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, -1)}000Z`;
}

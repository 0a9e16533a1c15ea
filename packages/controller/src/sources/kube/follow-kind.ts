// Follows one kind by a list-watch, and says as a finding when that fails. Given who wants to know.
// A kind that not every server has may be one to install: while the server does not know it that is
// said, and it is asked for seldom; while that or its rights are missing nobody waits for it.

import { type Clock, isEdgeError } from "@fairlead/runtime";

import type { Fact } from "../../facts.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import type { Json } from "../../kube/object-fields.ts";
import {
  findingName,
  isToldAtOnce,
  type KindName,
  troubleFinding,
  UNKNOWN_MS_MAX,
  unknownFinding,
} from "./kube-trouble.ts";
import { createListWatch, type ListWatch, type ListWatchCounts } from "./list-watch.ts";
import type { Change } from "./object-set.ts";

/** What following any kind needs. */
export interface FollowContext {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  /** Time between two second looks, in ms. Default: ten minutes. */
  readonly lookMs?: number;
  /** The source that facts are of. */
  readonly source: string;
  /** A kind cannot be followed, or can again. */
  readonly onFact: (fact: Fact) => void;
  /** After anything. */
  readonly onNews: () => void;
}

/** What is followed. */
export interface FollowedKind<T> {
  readonly kind: KindName;
  readonly path: string;
  readonly read: (object: Json) => T;
  readonly onChanges: (changes: readonly Change<T>[]) => void;
  readonly onListed?: () => void;
  /** Whether nobody ever waits for it. Default: no. */
  readonly isAside?: boolean;
}

/** A kind that is followed. */
export interface Followed<T> extends Pick<ListWatch<T>, "entries" | "isSynced" | "start"> {
  /** Whether nobody has to wait for it: it was listed whole, or the server cannot or may not. */
  isSettled(): boolean;
  counts(): ListWatchCounts;
  end(): Promise<void>;
}

/** Makes it; nothing is asked before `start`. */
export function followKind<T>(context: FollowContext, what: FollowedKind<T>): Followed<T> {
  const { client, clock, random, lookMs, source, onFact, onNews } = context;
  const { kind, isAside = false } = what;
  const isOptional = kind.installedBy !== undefined;
  const name = findingName(kind);
  let failures = 0;
  let unknown = 0;
  let isMissed = false;

  function fails(trouble: Error): void {
    const code = isEdgeError(trouble) ? trouble.code : "";
    const isUnknown = isOptional && code === "NOT_FOUND" && !listWatch.isSynced();
    failures += 1;
    isMissed = isUnknown || isAside || (isOptional && code === "FORBIDDEN");
    if (isUnknown) {
      unknown += 1;
      onFact({ kind: "finding", source, finding: unknownFinding(kind) });
    } else if (failures > 1 || isToldAtOnce(trouble)) {
      const so = { isSynced: listWatch.isSynced(), isMissed };
      onFact({ kind: "finding", source, finding: troubleFinding(kind, trouble, so) });
    }
  }

  function works(): void {
    onFact({ kind: "finding-cleared", source, subject: "source", name });
  }

  const listWatch = createListWatch<T>({
    client,
    clock,
    random,
    lookMs,
    unknownMsMax: isOptional ? UNKNOWN_MS_MAX : undefined,
    path: what.path,
    read: what.read,
    listener: {
      onChanges: (changes) => {
        what.onChanges(changes);
        onNews();
      },
      onListed: () => {
        what.onListed?.();
        onNews();
      },
      onTrouble: (trouble) => {
        if (trouble === undefined) {
          failures = 0;
          isMissed = false;
          works();
        } else fails(trouble);
        onNews();
      },
    },
  });
  return {
    entries: listWatch.entries,
    isSynced: () => listWatch.isSynced(),
    isSettled: () => listWatch.isSynced() || isMissed || isAside,
    // To be asked in vain whether there are any is no failure.
    counts: () => {
      const counts = listWatch.counts();
      return { ...counts, failures: counts.failures - unknown };
    },
    start: () => listWatch.start(),
    end: async () => {
      await listWatch[Symbol.asyncDispose]();
    },
  };
}

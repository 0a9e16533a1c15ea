// Somebody who follows the Services of a stage and writes down what was told, in the words that
// stories compare. Given the stage. It has no opinion on what is right.

import { createKubeClient, createListWatch, type ListWatch } from "@fairlead/controller";
import { describeError, isEdgeError } from "@fairlead/runtime";

import { childOf, textOf } from "../kube-stub/json-tree.ts";
import type { ListWatchStage } from "./list-watch-stage.ts";

/** A follower, and what it was told. */
export interface StoryFollower extends AsyncDisposable {
  readonly listWatch: ListWatch<string>;
  /** `upsert NAME=VALUE`, `doubt NAME`, `sure NAME` or `gone NAME`, in order. */
  readonly told: readonly string[];
  /** Names of objects that were read, in order. */
  readonly reads: readonly string[];
  /** The codes of troubles in order; `none` when it works again. */
  readonly troubles: readonly string[];
  /** `NAME=VALUE` of what is in force, `NAME=VALUE?` of what is in doubt, by name. */
  inForce(): readonly string[];
  /** Time passes until this is in force. */
  untilInForce(...entries: readonly string[]): Promise<void>;
  /** Time passes until this was told. */
  untilTold(words: string): Promise<void>;
  /** Forgets what was told. */
  forget(): void;
}

/** Starts to follow. `random` is uniform in [0, 1); default: always 0.5. */
export function followServices(
  stage: ListWatchStage,
  random: () => number = () => 0.5,
): StoryFollower {
  const told: string[] = [];
  const reads: string[] = [];
  const troubles: string[] = [];
  const { access, clock, path } = stage;
  const listWatch = createListWatch<string>({
    client: createKubeClient({ access, clock, userAgent: "story" }),
    clock,
    random,
    path,
    read: (object, { key }) => {
      reads.push(nameOf(key));
      return textOf(childOf(childOf(object, "metadata"), "labels"), "value");
    },
    listener: {
      onChanges: (changes) => {
        for (const { kind, entry } of changes) {
          const name = nameOf(entry.key);
          if (kind === "upsert") told.push(`upsert ${name}=${entry.value}`);
          else if (kind === "gone") told.push(`gone ${name}`);
          else told.push(`${entry.absentSinceMs === undefined ? "sure" : "doubt"} ${name}`);
        }
      },
      onListed: () => undefined,
      onTrouble: (trouble) => {
        if (trouble === undefined) troubles.push("none");
        else troubles.push(isEdgeError(trouble) ? trouble.code : describeError(trouble));
      },
    },
  });
  const inForce = (): readonly string[] =>
    Array.from(listWatch.entries.values(), ({ key, value, absentSinceMs }) => {
      return `${nameOf(key)}=${value}${absentSinceMs === undefined ? "" : "?"}`;
    }).toSorted();
  const state = (wanted: string): string =>
    `${wanted}; in force: ${inForce().join()}; told: ${told.join()}; troubles: ${troubles.join()}`;
  listWatch.start();
  return {
    listWatch,
    told,
    reads,
    troubles,
    inForce,
    untilInForce: (...entries) =>
      stage.until(
        () => listWatch.isSynced() && inForce().join() === entries.join(),
        () => state(entries.join()),
      ),
    untilTold: (words) =>
      stage.until(
        () => told.includes(words),
        () => state(words),
      ),
    forget: () => {
      told.length = 0;
      reads.length = 0;
      troubles.length = 0;
    },
    [Symbol.asyncDispose]: () => listWatch[Symbol.asyncDispose](),
  };
}

function nameOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

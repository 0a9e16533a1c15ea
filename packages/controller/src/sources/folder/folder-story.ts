// A stage for stories of a folder of manifests: real files in a temporary folder, the real source,
// and the controller's own fold of its facts. For tests alone; nothing is left behind.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";

import { claimId, type Finding } from "@fairlead/model";
import { type Clock, type FakeClock, createSystemClock } from "@fairlead/runtime";
import { stringify } from "yaml";

import { type ClusterState, createClusterState, foldFacts } from "../../cluster-state.ts";
import type { Fact } from "../../facts.ts";
import { type Fields, SAMPLE_SETTINGS, sampleService } from "../sample-objects.ts";
import { createFolderSource } from "./folder-source.ts";

/** Longer than any look takes; a test that waits this long has failed. */
export const DEADLINE: { readonly timeout: number } = { timeout: 20_000 };

/** A folder on disk, the source that reads it, and what the controller knows by it. */
export interface Story extends AsyncDisposable {
  /** The folder that is watched. */
  readonly folder: string;
  readonly facts: readonly Fact[];
  write(path: string, ...documents: readonly (Fields | string)[]): Promise<void>;
  start(): Promise<void>;
  /** What statuses say is said of claims of Services with these names. */
  sayStatuses(...names: readonly string[]): Promise<void>;
  /** Resolves when the facts so far make it true. */
  until(isSo: (story: Story) => boolean): Promise<void>;
  /** Resolves with the next whole list. */
  nextList(): Promise<void>;
  /** Names of claims in force, as the controller's fold has them. */
  claims(): readonly string[];
  findings(): readonly Finding[];
  reasons(): readonly string[];
}

/** Makes an empty folder and a source that waits for `start`. */
export async function openStory(clock: Clock = createSystemClock()): Promise<Story> {
  const root = await mkdtemp(join(tmpdir(), "fairlead-folder-"));
  const folder = join(root, "manifests");
  await mkdir(folder);
  const facts: Fact[] = [];
  let state: ClusterState = createClusterState([]);
  let waiting: readonly (() => void)[] = [];
  const source = createFolderSource({ folder, settings: SAMPLE_SETTINGS, clock });
  const emit = (news: readonly Fact[]): void => {
    facts.push(...news);
    state = foldFacts(state, news, {
      sources: ["folder"],
      nowMs: clock.wallMs(),
      steadyMs: clock.nowMs(),
    }).state;
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  const story: Story = {
    folder,
    facts,
    write: async (path, ...documents) => {
      const texts = documents.map((each) => (typeof each === "string" ? each : stringify(each)));
      await writeFile(join(folder, path), texts.join("---\n"));
    },
    sayStatuses: async (...names) => {
      const ids = names.flatMap((name) => claimId("service", "default", name) ?? []);
      await source.sayStatuses?.(new Set(ids));
    },
    start: () => source.start(emit),
    until: async (isSo) => {
      while (!isSo(story)) {
        await new Promise<void>((resolve) => {
          waiting = [...waiting, resolve];
        });
      }
    },
    nextList: async () => {
      const lists = listsIn(facts);
      await story.until(() => listsIn(facts) > lists);
    },
    claims: () => [...state.claims.values()].map(({ value }) => value.name).toSorted(),
    findings: () => [...state.findings.values()],
    reasons: () => [...state.findings.values()].map(({ reason }) => reason).toSorted(),
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
  return story;
}

/** How many whole lists were told. */
export function listsIn(facts: readonly Fact[]): number {
  return facts.filter(({ kind }) => kind === "source-listed").length;
}

/** Moves time on by steps until a whole list came, at least one step. */
export async function passTime(story: Story, clock: FakeClock, stepMs: number): Promise<void> {
  const next = story.nextList();
  let isListed = false;
  const seen = next.then(() => {
    isListed = true;
  });
  while (!isListed) {
    await clock.advance(stepMs);
    // Real files are not waited for by the clock: one turn of the event loop lets them go on.
    await setImmediate();
  }
  await seen;
}

/** Kinds of the facts told so far, in order. */
export function kindsIn(story: Story): readonly string[] {
  return story.facts.map(({ kind }) => kind);
}
/** A Service of this name. */
export function service(name: string, spec: Fields = {}): Fields {
  return sampleService(spec, { name });
}

// Stories of a folder of manifests on a real file system: what people and tools do with files, and
// what the controller gets to know of it.

import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";

import type { Finding } from "@fairlead/model";
import {
  type Clock,
  type FakeClock,
  createFakeClock,
  createSystemClock,
  isEdgeError,
} from "@fairlead/runtime";
import { stringify } from "yaml";

import { type ClusterState, createClusterState, foldFacts } from "../../cluster-state.ts";
import type { Fact } from "../../facts.ts";
import { type Fields, SAMPLE_SETTINGS, sampleService, sampleSlice } from "../sample-objects.ts";
import { AUDIT_MS, createFolderSource } from "./folder-source.ts";

/** Longer than any look takes; a test that waits this long has failed. */
const DEADLINE = { timeout: 20_000 };

interface Story extends AsyncDisposable {
  /** The folder that is watched. */
  readonly folder: string;
  readonly facts: readonly Fact[];
  write(path: string, ...documents: readonly (Fields | string)[]): Promise<void>;
  start(): Promise<void>;
  /** Resolves when the facts so far make it true. */
  until(isSo: (story: Story) => boolean): Promise<void>;
  /** Resolves with the next whole list. */
  nextList(): Promise<void>;
  /** Names of claims in force, as the controller's fold has them. */
  claims(): readonly string[];
  findings(): readonly Finding[];
  reasons(): readonly string[];
}

async function openStory(clock: Clock = createSystemClock()): Promise<Story> {
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

function listsIn(facts: readonly Fact[]): number {
  return facts.filter(({ kind }) => kind === "source-listed").length;
}

/** Moves time on by steps until a whole list came, at least one step. */
async function passTime(story: Story, clock: FakeClock, stepMs: number): Promise<void> {
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

const kinds = (story: Story): readonly string[] => story.facts.map(({ kind }) => kind);
const service = (name: string, spec: Fields = {}): Fields => sampleService(spec, { name });

test("files are followed: created, changed, renamed, deleted", DEADLINE, async () => {
  await using story = await openStory();
  await story.write("web.yaml", service("web"));
  await story.write(".hidden.yaml", service("hidden"));
  await story.write("notes.txt", "not a manifest");
  await story.start();
  assert.deepEqual(story.claims(), ["web"]);

  await mkdir(join(story.folder, "team"));
  await story.write("team/dns.yml", service("dns"), service("ntp"));
  await story.until(() => story.claims().length === 3);

  await story.write("web.yaml", service("web", { loadBalancerIP: "192.0.2.7" }));
  await story.until(({ facts }) =>
    facts.some((fact) => fact.kind === "claim-seen" && fact.claim.wishedAddresses.length === 1),
  );

  await story.write("web.yaml", service("web"), sampleSlice());
  await story.until(({ facts }) => {
    const last = facts.findLast((fact) => fact.kind === "claim-seen");
    return last?.claim.listeners[0]?.members.length === 2;
  });

  await rename(join(story.folder, "web.yaml"), join(story.folder, "team", "front.yaml"));
  await story.until(({ facts }) =>
    facts.some((fact) => fact.kind === "claim-seen" && fact.claim.origin === "team/front.yaml"),
  );
  assert(!kinds(story).includes("claim-gone"), "a rename is no deletion");

  await story.write("team/dns.yml", service("dns"));
  await story.until(() => !story.claims().includes("ntp"));
  await rm(join(story.folder, "team"), { recursive: true });
  await story.until(() => story.claims().length === 0);
  const gone = story.facts.flatMap((fact) => (fact.kind === "claim-gone" ? [fact.how] : []));
  assert.deepEqual(gone, ["seen-deleted", "seen-deleted", "seen-deleted"]);
  assert.deepEqual(story.reasons(), []);
});

test(
  "a file that breaks keeps its last good objects, and so does a bad object",
  DEADLINE,
  async () => {
    await using story = await openStory();
    await story.write("web.yaml", service("web"));
    await story.write("dns.yaml", service("dns"), service("ntp"));
    await story.start();

    await story.write("web.yaml", "kind: [Service\n");
    await story.until(() => story.reasons().includes("ManifestUnreadable"));
    await story.write("dns.yaml", service("dns", { ports: 5 }), service("ntp"), service("new"));
    await story.until(() => story.claims().includes("new"));
    assert.deepEqual(story.claims(), ["dns", "new", "ntp", "web"]);
    assert.deepEqual(story.findings(), [
      {
        subject: "file",
        name: "web.yaml",
        reason: "ManifestUnreadable",
        detail: "line 2, column 1: the indentation is wrong, or a bracket is not closed",
      },
      {
        subject: "object",
        name: "Service default/dns",
        reason: "BadField",
        detail: 'in "dns.yaml": spec.ports: expected array, received number',
      },
    ]);

    await story.write("web.yaml", service("web"));
    await story.write("dns.yaml", service("dns"), service("ntp"), service("new"));
    await story.until(() => story.reasons().length === 0);
    assert(!kinds(story).includes("claim-gone"));
  },
);

test("bombs, giants and odd names cost a finding each and disturb nobody", DEADLINE, async () => {
  await using story = await openStory();
  const bomb = ["a: &a [x, x]", ...Array.from("bcdefghij")].map((each, index) => {
    if (index === 0) return each;
    const before = String.fromCharCode(each.charCodeAt(0) - 1);
    return `${each}: &${each} [*${before}, *${before}, *${before}, *${before}]`;
  });
  await story.write("bomb.yaml", bomb.join("\n"));
  await story.write("giant.yaml", "#".repeat(10 * 1024 * 1024));
  await story.write('we\n"b.yaml', service("we\nb; {"), service("web"));
  await story.write("other.yaml", service("web", { loadBalancerIP: "192.0.2.9" }));
  await story.start();
  assert.deepEqual(story.claims(), ["web"]);
  const lines = story.findings().map((each) => `${each.reason} ${each.name}: ${each.detail}`);
  assert.deepEqual(lines, [
    "ManifestTooComplex bomb.yaml: its aliases are followed more than 100 times",
    "ManifestTooLarge giant.yaml: it has more than 1048576 bytes",
    String.raw`BadName Service "default/we\\nb; {" in we\n"b.yaml: in "we\n\"b.yaml": metadata.name "we\nb; {" is no name`,
    String.raw`DuplicateObject Service default/web: "other.yaml" declares it already; "we\n\"b.yaml" is left out`,
  ]);
  const claim = story.facts.find((fact) => fact.kind === "claim-seen")?.claim;
  assert.deepEqual(claim?.wishedAddresses, ["192.0.2.9"], "the first by path counts");
});

test("the second of two files takes over when the first one goes", DEADLINE, async () => {
  await using story = await openStory();
  await story.write("a.yaml", service("web", { loadBalancerIP: "192.0.2.7" }));
  await story.write("b.yaml", service("web", { loadBalancerIP: "192.0.2.8" }));
  await story.start();
  assert.deepEqual(story.reasons(), ["DuplicateObject"]);
  await rm(join(story.folder, "a.yaml"));
  await story.until(() => story.reasons().length === 0);
  const wished = story.facts.flatMap((fact) =>
    fact.kind === "claim-seen" ? fact.claim.wishedAddresses : [],
  );
  assert.deepEqual(wished, ["192.0.2.7", "192.0.2.8"]);
  assert(!kinds(story).includes("claim-gone"));
});

test("an unmounted folder removes nothing until a second list 30 s later", DEADLINE, async () => {
  const clock = createFakeClock();
  await using story = await openStory(clock);
  const pass = (ms: number): Promise<void> => passTime(story, clock, ms);
  await story.write("web.yaml", service("web"));
  await Promise.all([story.start(), clock.advance(100)]);

  await rename(story.folder, `${story.folder}.away`);
  await mkdir(story.folder);
  await pass(AUDIT_MS + 100);
  assert.deepEqual(story.claims(), ["web"]);
  assert.deepEqual(story.reasons(), ["SourceEmptied"]);
  while (story.claims().length > 0) await pass(1000);
  const empty = story.facts.filter(
    (fact) => fact.kind === "source-listed" && fact.claims.size === 0,
  );
  const times = empty.map((fact) => ("atMs" in fact ? fact.atMs : 0));
  assert((times.at(-1) ?? 0) - (times[0] ?? 0) >= 30_000);
  assert.deepEqual(story.reasons(), []);

  await rm(story.folder, { recursive: true });
  await rename(`${story.folder}.away`, story.folder);
  await pass(AUDIT_MS + 100);
  assert.deepEqual(story.claims(), ["web"]);
});

test("an unmounted folder that comes back in time was never empty", DEADLINE, async () => {
  const clock = createFakeClock();
  await using story = await openStory(clock);
  const pass = (ms: number): Promise<void> => passTime(story, clock, ms);
  await story.write("web.yaml", service("web"));
  await Promise.all([story.start(), clock.advance(100)]);
  await rename(story.folder, `${story.folder}.away`);
  await mkdir(story.folder);
  await pass(AUDIT_MS + 100);
  await rm(story.folder, { recursive: true });
  await rename(`${story.folder}.away`, story.folder);
  for (let looks = 0; looks < 5; looks += 1) await pass(AUDIT_MS + 100);
  assert.deepEqual(story.claims(), ["web"]);
  assert.deepEqual(story.reasons(), []);
  assert.equal(kinds(story).filter((kind) => kind === "claim-seen").length, 1);
});

test("a folder that cannot be read says so and leaves everything in force", DEADLINE, async () => {
  await using story = await openStory();
  await story.write("web.yaml", service("web"));
  await story.start();
  await rename(story.folder, `${story.folder}.away`);
  await story.until(() => story.reasons().includes("SourceUnreadable"));
  assert.deepEqual(story.claims(), ["web"]);
});

test("a folder that is not there yet is waited for", DEADLINE, async () => {
  const clock = createFakeClock();
  await using story = await openStory(clock);
  await rm(story.folder, { recursive: true });
  const started = story.start();
  const said = story.until(() => story.reasons().includes("SourceUnreadable"));
  await clock.advance(100);
  await said;
  await mkdir(story.folder);
  await story.write("web.yaml", service("web"));
  await Promise.all([started, clock.advance(AUDIT_MS + 100)]);
  assert.deepEqual(story.claims(), ["web"]);
  assert.deepEqual(story.reasons(), []);
});

test("a file in place of the folder can never work", DEADLINE, async () => {
  await using story = await openStory();
  await rm(story.folder, { recursive: true });
  await writeFile(story.folder, "");
  await assert.rejects(story.start(), (error) => isEdgeError(error, "NOT_A_FOLDER"));
});

test("a file that never could be read proves no absence", DEADLINE, async () => {
  const clock = createFakeClock();
  await using story = await openStory(clock);
  await story.write("web.yaml", "kind: [Service\n");
  await Promise.all([story.start(), clock.advance(100)]);
  assert.equal(listsIn(story.facts), 1);
  const fixed = story.until(() => story.claims().length === 1);
  await clock.advance(4 * AUDIT_MS);
  assert.equal(listsIn(story.facts), 1, "the first list alone, which lets the controller begin");
  await story.write("web.yaml", service("web"));
  await clock.advance(AUDIT_MS + 100);
  await fixed;
  assert(listsIn(story.facts) > 1);
});

test("links to files are followed, links to folders are not", DEADLINE, async () => {
  await using story = await openStory();
  await mkdir(join(story.folder, "..data"));
  await story.write("..data/web.yaml", service("web"));
  await symlink("..data/web.yaml", join(story.folder, "web.yaml"));
  await symlink(".", join(story.folder, "loop"));
  await symlink("nowhere.yaml", join(story.folder, "dangling.yaml"));
  await story.start();
  assert.deepEqual(story.claims(), ["web"]);
  assert.deepEqual(story.reasons(), []);
});

test("a ConfigMap mount changes all its files by one link", DEADLINE, async () => {
  await using story = await openStory();
  for (const [version, address] of [
    ["1", "192.0.2.7"],
    ["2", "192.0.2.8"],
  ] as const) {
    await mkdir(join(story.folder, `..${version}`));
    await story.write(`..${version}/web.yaml`, service("web", { loadBalancerIP: address }));
  }
  await symlink("..1", join(story.folder, "..data"));
  await symlink("..data/web.yaml", join(story.folder, "web.yaml"));
  await story.start();
  await symlink("..2", join(story.folder, "..new"));
  await rename(join(story.folder, "..new"), join(story.folder, "..data"));
  await story.until(({ facts }) =>
    facts.some(
      (fact) => fact.kind === "claim-seen" && fact.claim.wishedAddresses[0] === "192.0.2.8",
    ),
  );
  assert(!kinds(story).includes("claim-gone"));
});

test("quiet folders give lists and no news", DEADLINE, async () => {
  const clock = createFakeClock();
  await using story = await openStory(clock);
  await story.write("web.yaml", service("web"), sampleSlice());
  await Promise.all([story.start(), clock.advance(100)]);
  const before = story.facts.length;
  for (let looks = 0; looks < 3; looks += 1) await passTime(story, clock, AUDIT_MS);
  const news = new Set(kinds(story).slice(before));
  assert.deepEqual([...news], ["source-listed"]);
});

test("a file that cannot be opened keeps its objects and is told", DEADLINE, async () => {
  await using story = await openStory();
  await story.write("web.yaml", service("web"));
  await story.start();
  await symlink("web.yaml", join(story.folder, ".loop"));
  await rename(join(story.folder, ".loop"), join(story.folder, "web.yaml"));
  await story.until(() => story.reasons().includes("ManifestUnreadable"));
  assert.deepEqual(story.claims(), ["web"]);
  await rm(join(story.folder, "web.yaml"));
  await story.write("web.yaml", service("web"));
  await story.until(() => story.reasons().length === 0);
  assert(!kinds(story).includes("claim-gone"));
});

test(
  "the examples are served, but for the one that asks for a foreign address",
  DEADLINE,
  async () => {
    await using story = await openStory();
    const examples = new URL("../../../../../examples/", import.meta.url);
    await cp(examples, story.folder, { recursive: true });
    await story.start();
    assert.deepEqual(story.claims(), ["dns", "refused", "web", "wished"]);
    assert.deepEqual(story.reasons(), []);
    for (const fact of story.facts) {
      if (fact.kind !== "claim-seen" || fact.claim.name === "refused") continue;
      assert.deepEqual([...fact.claim.refusals, ...fact.claim.remarks], []);
      for (const { members } of fact.claim.listeners) assert.equal(members.length, 2);
    }
  },
);

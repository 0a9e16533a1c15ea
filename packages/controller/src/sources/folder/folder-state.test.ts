// How a missing file is judged: a deletion that was seen, a folder that went away, or a moment
// between two steps of an editor.

import assert from "node:assert/strict";
import { test } from "node:test";

import { sampleService } from "../sample-objects.ts";
import { EMPTY_GRACE_MS, type FileReading } from "./file-state.ts";
import { EMPTY_FOLDER, type FolderState, foldLook, filesToRead } from "./folder-state.ts";
import { viewFolder } from "./folder-view.ts";
import type { Listing } from "./scan.ts";

interface LookOptions {
  /** Content stamps by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly hints?: readonly string[];
  readonly nowMs?: number;
  readonly inode?: string;
  readonly subInode?: string;
  readonly unreadable?: readonly string[];
  readonly reading?: FileReading;
}

/** One look at a folder in which each file declares a Service of the file's name. */
function look(state: FolderState, options: LookOptions): FolderState {
  const { files, hints = [], nowMs = 0, inode = "1", subInode = "2" } = options;
  const listing: Listing = {
    files: new Map(
      Object.entries(files).map(([path, stamp]) => [path, { path, stamp, size: stamp.length }]),
    ),
    folders: new Map([
      ["", { device: "1", inode }],
      ["sub", { device: "1", inode: subInode }],
    ]),
    unreadable: new Map((options.unreadable ?? []).map((path) => [path, "permission denied"])),
  };
  const hinted = new Set(hints);
  const readings = new Map(
    filesToRead(state, listing, hinted).map(({ path }): [string, FileReading] => {
      const name = path.replaceAll(/[/]|\.yaml$/gu, "");
      const documents = [sampleService({}, { name })];
      const parsed = { kind: "ok", documents } as const;
      return [path, options.reading ?? { kind: "parsed", parsed, isEmpty: false }];
    }),
  );
  return foldLook(state, { listing, readings, hints: hinted, nowMs });
}

interface Said {
  /** In force, whether they stand in the folder or not. */
  readonly inForce: readonly string[];
  /** In the folder now. */
  readonly listed: readonly string[];
  readonly findings: readonly string[];
}

function said(state: FolderState): Said {
  const view = viewFolder(state, "/manifests");
  return {
    inForce: view.objects.map(({ identity }) => identity.name).toSorted(),
    listed: [...view.services].map((id) => id.replace("service/default/", "")).toSorted(),
    findings: view.findings.map(({ reason }) => reason),
  };
}

const AB = { "a.yaml": "1", "b.yaml": "1" };
const ALL_GOOD: Said = { inForce: ["a", "b"], listed: ["a", "b"], findings: [] };
const HELD: Said = { inForce: ["a", "b"], listed: [], findings: ["SourceEmptied"] };

const first = look(EMPTY_FOLDER, { files: AB });

test("a file that is gone in two looks was deleted", () => {
  const once = look(first, { files: { "a.yaml": "1" } });
  assert.deepEqual(said(once), ALL_GOOD);
  const twice = look(once, { files: { "a.yaml": "1" } });
  assert.deepEqual(said(twice), { inForce: ["a"], listed: ["a"], findings: [] });
  assert.deepEqual([...twice.expired], []);
});

test("a file that an editor replaces was never gone", () => {
  const during = look(first, { files: { "a.yaml": "1" } });
  assert.deepEqual(said(look(during, { files: AB })), ALL_GOOD);
});

test("a file renamed keeps its object, and nobody calls it a duplicate", () => {
  const once = look(look(EMPTY_FOLDER, { files: { "a.yaml": "1" } }), {
    files: { "a.json": "1" },
    reading: {
      kind: "parsed",
      parsed: { kind: "ok", documents: [sampleService({}, { name: "a" })] },
      isEmpty: false,
    },
  });
  assert.deepEqual(said(once), { inForce: ["a"], listed: ["a"], findings: [] });
  const twice = look(once, { files: { "a.json": "1" } });
  assert.deepEqual(said(twice), { inForce: ["a"], listed: ["a"], findings: [] });
});

test("a folder unmounted between the two looks for a file keeps all of them", () => {
  const once = look(first, { files: { "a.yaml": "1" }, hints: ["b.yaml"] });
  const other = look(once, { files: {}, inode: "7", nowMs: 50 });
  assert.deepEqual(said(other), HELD);
  assert.deepEqual(said(look(other, { files: {}, inode: "7", nowMs: 30_049 })), HELD);
  const later = look(other, { files: {}, inode: "7", nowMs: 30_050 });
  assert.deepEqual(said(later), { inForce: [], listed: [], findings: [] });
});

test("a file that nobody saw go keeps what it said when the others go too", () => {
  const once = look(first, { files: { "a.yaml": "1" } });
  assert.deepEqual(said(look(once, { files: {} })), HELD);
});

test("the last two files deleted one after the other are gone after two looks each", () => {
  const once = look(first, { files: { "a.yaml": "1" }, hints: ["b.yaml"] });
  const twice = look(once, { files: {}, hints: ["a.yaml"] });
  assert.deepEqual(said(twice), { inForce: ["a"], listed: ["a"], findings: [] });
  assert.deepEqual(said(look(twice, { files: {} })), { inForce: [], listed: [], findings: [] });
});

test("a folder that is empty at once, without unlink events, removes nothing for 30 s", () => {
  const empty = look(first, { files: {}, nowMs: 1000 });
  assert.deepEqual(said(empty), HELD);
  assert.deepEqual(said(look(empty, { files: {}, nowMs: 30_999 })), HELD);
  const later = look(empty, { files: {}, nowMs: 31_000 });
  assert.deepEqual(said(later), { inForce: [], listed: [], findings: [] });
  assert.deepEqual([...later.expired].toSorted(), ["Service/default/a", "Service/default/b"]);
});

test("a folder emptied file by file, as the kernel told, is empty at once", () => {
  const hints = ["a.yaml", "b.yaml"];
  const once = look(first, { files: {}, hints });
  assert.deepEqual(said(look(once, { files: {} })), { inForce: [], listed: [], findings: [] });
});

test("an unlink event that comes late turns absence into deletion", () => {
  const empty = look(first, { files: {} });
  const later = look(empty, { files: {}, hints: ["a.yaml"], nowMs: 50 });
  assert.deepEqual(said(later), { inForce: ["b"], listed: [], findings: ["SourceEmptied"] });
  assert.deepEqual([...later.expired], []);
});

test("another folder at the path removes nothing for 30 s, whatever events came", () => {
  const options = { files: { "a.yaml": "9" }, inode: "7", hints: ["b.yaml"] };
  const other = look(first, options);
  const want = { inForce: ["a", "b"], listed: ["a"], findings: ["SourceEmptied"] };
  assert.deepEqual(said(other), want);
  assert.deepEqual(said(look(other, { ...options, hints: [] })), want);
  const back = look(other, { files: AB, inode: "1" });
  assert.deepEqual(said(back), ALL_GOOD);
});

test("another folder below removes nothing of it either", () => {
  const state = look(EMPTY_FOLDER, { files: { "a.yaml": "1", "sub/b.yaml": "1" } });
  const other = look(state, { files: { "a.yaml": "1" }, subInode: "8" });
  assert.deepEqual(said(other), {
    inForce: ["a", "subb"],
    listed: ["a"],
    findings: ["SourceEmptied"],
  });
});

test("a folder below that may not be read hides nothing and proves nothing", () => {
  const state = look(EMPTY_FOLDER, { files: { "a.yaml": "1", "sub/b.yaml": "1" } });
  const hidden = look(state, { files: { "a.yaml": "1" }, unreadable: ["sub"] });
  assert.deepEqual(said(hidden).inForce, ["a", "subb"]);
  assert.deepEqual(said(hidden).findings, ["ManifestUnreadable"]);
  assert.equal(viewFolder(hidden, "/manifests").isWhole, false);
});

test("a file emptied by the shell that is about to fill it keeps its objects for a while", () => {
  const reading: FileReading = {
    kind: "parsed",
    parsed: { kind: "ok", documents: [] },
    isEmpty: true,
  };
  const files = { "a.yaml": "1", "b.yaml": "0" };
  const empty = look(first, { files, reading, nowMs: 1000 });
  assert.deepEqual(said(empty), ALL_GOOD);
  assert.deepEqual(said(look(empty, { files: AB, nowMs: 2000 })), ALL_GOOD);
  const believed = look(empty, { files, reading, nowMs: 1000 + EMPTY_GRACE_MS });
  assert.deepEqual(said(believed), { inForce: ["a"], listed: ["a"], findings: [] });
});

// A store whose file, or whose log of writes, a power cut left short at any place: it is read as it
// was after one of its commits, or it is refused in words and not touched. Never is a part read.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import { type Address, type LeasedAddress, parseAddress, present } from "@fairlead/model";
import { isEdgeError } from "@fairlead/runtime";

import { createSqliteStore } from "./sqlite-store.ts";
import { LEASE, makeFolder } from "./store-folder.ts";

const COMMITS = 3;
/** So many that each commit is of several pages. */
const LEASES = 40;
/** Of SQLite's files: a page; before the frames of a log, and before the page in a frame. */
const PAGE = 4096;
const LOG_HEADER = 32;
const FRAME_HEADER = 24;
/** A file is cut at each boundary, and so far beside it. */
const BESIDE = [-1, 0, 1, 17, 100, PAGE / 2];
/** SQLite takes a file of one byte for an empty one, which is a store to be made. */
const EMPTY_BYTES_MAX = 1;

interface Files {
  readonly file: Uint8Array;
  /** Undefined: there is none, as after a controller that ended well. */
  readonly log?: Uint8Array;
}

test("a store's file that is cut anywhere is refused, and stays as it is", async () => {
  const { file } = await writtenFiles({ isClosed: true });
  assert.equal(commitsIn(await readFiles({ file })), COMMITS);
  for (const cut of cutsOf(file.length, { first: 0, step: PAGE })) {
    const read = await readFiles({ file: file.subarray(0, cut) });
    const expected = cut > EMPTY_BYTES_MAX ? undefined : [];
    assert.deepEqual(read, expected, `cut to ${cut} bytes of ${file.length}`);
  }
});

test("of a log of writes that is cut anywhere whole commits are read, and none is left out", async () => {
  const { file, log = new Uint8Array() } = await writtenFiles({ isClosed: false });
  assert.equal(commitsIn(await readFiles({ file, log })), COMMITS);
  const seen = new Set<number>();
  let before = 0;
  for (const cut of cutsOf(log.length, { first: LOG_HEADER, step: FRAME_HEADER + PAGE })) {
    const commits = commitsIn(await readFiles({ file, log: log.subarray(0, cut) }));
    assert.ok(commits >= before, `cut to ${cut} bytes it has ${commits} commits`);
    seen.add(commits);
    before = commits;
  }
  assert.deepEqual([...seen], [0, 1, 2], "only the whole log has the last commit");
});

/** Makes a store of some commits; its files are as they stand before or after it is closed. */
async function writtenFiles({ isClosed }: { readonly isClosed: boolean }): Promise<Files> {
  using folder = makeFolder();
  await using store = createSqliteStore({ path: folder.path });
  const { epoch } = await store.open();
  for (let commit = 0; commit < COMMITS; commit += 1) {
    const changes = leasesOf(commit).map((lease) => ({ kind: "put-lease", lease }) as const);
    assert.deepEqual(await store.commit(epoch, changes), { kind: "committed" });
  }
  if (isClosed) {
    await store[Symbol.asyncDispose]();
    return { file: readFileSync(folder.path) };
  }
  return { file: readFileSync(folder.path), log: readFileSync(`${folder.path}-wal`) };
}

function leasesOf(commit: number): readonly LeasedAddress[] {
  return Array.from({ length: LEASES }, (_, at) => {
    return { ...LEASE, address: present(parseAddress(`10.0.${commit}.${at}`), "an address") };
  });
}

/** The addresses that a controller finds in such files; undefined: they are refused as damaged. */
async function readFiles({ file, log }: Files): Promise<readonly Address[] | undefined> {
  using folder = makeFolder();
  writeFileSync(folder.path, file);
  if (log !== undefined) writeFileSync(`${folder.path}-wal`, log);
  try {
    await using store = createSqliteStore({ path: folder.path });
    return (await store.open()).leases.map(({ address }) => address);
  } catch (error) {
    assert.ok(isEdgeError(error, "CORRUPT"), String(error));
    assert.deepEqual(new Uint8Array(readFileSync(folder.path)), new Uint8Array(file));
    return undefined;
  }
}

/** Of how many commits, from the first, exactly these are the leases. */
function commitsIn(addresses: readonly Address[] | undefined): number {
  const count = (addresses?.length ?? 0) / LEASES;
  const whole = Array.from({ length: Math.ceil(count) }, (_, commit) => leasesOf(commit)).flat();
  assert.deepEqual(addresses?.toSorted(), whole.map(({ address }) => address).toSorted());
  return count;
}

/** Each boundary and some places beside it, from nothing to all but one byte. */
function cutsOf(
  length: number,
  { first, step }: { readonly first: number; readonly step: number },
): readonly number[] {
  const cuts = new Set([0, 1, length - 1]);
  for (let at = first; at < length; at += step) {
    for (const beside of BESIDE) cuts.add(at + beside);
  }
  return [...cuts].filter((cut) => cut >= 0 && cut < length).toSorted((a, b) => a - b);
}

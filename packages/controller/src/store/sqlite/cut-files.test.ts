// A store whose file, or whose log of writes, a power cut left short at any place: it is read as it
// was after one of its commits, or it is refused in words and neither is touched. Never is a part
// read. The last page of the file is cut at each of its bytes, and so is the header of the last
// frame of the log; of that frame's page, as each try opens a store, it is some hundreds by chance.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";

import { type Address, type LeasedAddress, parseAddress, present } from "@fairlead/model";
import { isEdgeError } from "@fairlead/runtime";
import fc from "fast-check";

import { createSqliteStore } from "./sqlite-store.ts";
import { LEASE } from "./store-folder.ts";

const COMMITS = 3;
/** So many that each commit is of several pages. */
const LEASES = 40;
/** Of SQLite's files: a page; before the frames of a log, and before the page in a frame. */
const PAGE = 4096;
const LOG_HEADER = 32;
const FRAME_HEADER = 24;
const FRAME = FRAME_HEADER + PAGE;
/** A file is cut at each boundary, and so far beside it. */
const BESIDE = [-1, 0, 1, 17, 100, PAGE / 2];
/** Of the places in the page of the last frame. */
const PAGE_SAMPLES = 600;
/** SQLite takes a file of one byte for an empty one, which is a store to be made. */
const EMPTY_BYTES_MAX = 1;
/** In memory where there is one: thousands of stores are opened, and each waits for the disk. */
const PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

interface Files {
  readonly file: Uint8Array;
  /** Undefined: there is none, as after a controller that ended well. */
  readonly log?: Uint8Array;
}

test("a store's file that is cut anywhere is refused, and stays as it is", async () => {
  const { file } = await writtenFiles({ isClosed: true });
  assert.equal(commitsIn(await readFiles({ file })), COMMITS);
  const boundaries = cutsOf(file.length, { first: 0, step: PAGE });
  for (const cut of [...boundaries, ...lastBytes(file.length, PAGE)]) {
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
  const boundaries = cutsOf(log.length, { first: LOG_HEADER, step: FRAME });
  const header = lastBytes(log.length, FRAME).slice(0, FRAME_HEADER);
  const page = fc.sample(fc.constantFrom(...lastBytes(log.length, PAGE)), PAGE_SAMPLES);
  for (const cut of [...boundaries, ...header, ...page]) {
    const what = `cut to ${cut} bytes of ${log.length}`;
    const commits = commitsIn(await readFiles({ file, log: log.subarray(0, cut) }), what);
    assert.ok(commits >= before, `${what} it has ${commits} commits`);
    seen.add(commits);
    before = commits;
  }
  assert.deepEqual([...seen], [0, 1, 2], "only the whole log has the last commit");
});

test("a file that is cut anywhere is whole with its log, or both are refused and stay", async () => {
  const { file, log = new Uint8Array() } = await writtenFiles({ isClosed: "in between" });
  assert.equal(commitsIn(await readFiles({ file, log })), COMMITS);
  let refused = 0;
  const logs = [log, log.subarray(0, LOG_HEADER + FRAME), log.subarray(0, log.length - 1)];
  for (const cut of cutsOf(file.length, { first: 0, step: PAGE })) {
    for (const left of logs) {
      const read = await readFiles({ file: file.subarray(0, cut), log: left });
      if (read === undefined) refused += 1;
      // What is cut off may stand in the log anew.
      else assert.equal(commitsIn(read), left === log ? COMMITS : COMMITS - 1);
    }
  }
  assert.ok(refused > logs.length * (file.length / PAGE), `${refused} were refused`);
});

/** Makes a store of some commits; its files are as they stand before or after it is closed. */
async function writtenFiles({
  isClosed,
}: {
  readonly isClosed: boolean | "in between";
}): Promise<Files> {
  using folder = makePlace();
  const { path } = folder;
  const write = async (first: number, last: number): Promise<AsyncDisposable> => {
    const store = createSqliteStore({ path });
    const { epoch } = await store.open();
    for (let commit = first; commit < last; commit += 1) {
      const changes = leasesOf(commit).map((lease) => ({ kind: "put-lease", lease }) as const);
      assert.deepEqual(await store.commit(epoch, changes), { kind: "committed" });
    }
    return store;
  };
  const early = isClosed === "in between" ? COMMITS - 1 : 0;
  await (await write(0, early))[Symbol.asyncDispose]();
  await using store = await write(early, COMMITS);
  if (isClosed === true) {
    await store[Symbol.asyncDispose]();
    return { file: readFileSync(path) };
  }
  return { file: readFileSync(path), log: readFileSync(`${path}-wal`) };
}

function leasesOf(commit: number): readonly LeasedAddress[] {
  return Array.from({ length: LEASES }, (_, at) => {
    return { ...LEASE, address: present(parseAddress(`10.0.${commit}.${at}`), "an address") };
  });
}

/** The addresses that a controller finds in such files; undefined: they are refused as damaged. */
async function readFiles({ file, log }: Files): Promise<readonly Address[] | undefined> {
  using place = makePlace();
  writeFileSync(place.path, file);
  if (log !== undefined) writeFileSync(`${place.path}-wal`, log);
  try {
    await using store = createSqliteStore({ path: place.path });
    return (await store.open()).leases.map(({ address }) => address);
  } catch (error) {
    assert.ok(isEdgeError(error, "CORRUPT"), String(error));
    const name = basename(place.path);
    const before = new Map([[name, digest(file)]]);
    if (log !== undefined) before.set(`${name}-wal`, digest(log));
    assert.deepEqual(place.digests(), before, `${error.message}, and not touched, nor is its log`);
    return undefined;
  }
}

/** A folder for one store; it goes with its disposal. */
function makePlace(): Disposable & {
  readonly path: string;
  /** What there is, by name. */
  digests(): ReadonlyMap<string, string>;
} {
  const folder = mkdtempSync(join(PLACE, "fairlead-store-"));
  return {
    path: join(folder, "store.db"),
    digests: () => {
      const names = readdirSync(folder).toSorted();
      return new Map(names.map((name) => [name, digest(readFileSync(join(folder, name)))]));
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Short, as a difference of thousands of bytes is shown for minutes. */
function digest(bytes: Uint8Array): string {
  return `${bytes.length} bytes ${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
}

/** Of how many commits, from the first, exactly these are the leases. */
function commitsIn(addresses: readonly Address[] | undefined, what?: string): number {
  const count = (addresses?.length ?? 0) / LEASES;
  const whole = Array.from({ length: Math.ceil(count) }, (_, commit) => leasesOf(commit)).flat();
  assert.deepEqual(addresses?.toSorted(), whole.map(({ address }) => address).toSorted(), what);
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

/** Each place in the last record of that length. */
function lastBytes(length: number, record: number): readonly number[] {
  return Array.from({ length: record }, (_, at) => length - record + at);
}

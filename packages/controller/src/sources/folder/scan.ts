// Lists a folder of manifests: which files there are and what tells their versions apart, without
// reading them. Symbolic links to files are followed, as mounted ConfigMaps consist of them; links
// to folders are not, so that no list is endless. Names that start with a dot are passed over. A
// link to nothing is told as a file that cannot be read: nobody knows what it declares.

import type { Dirent, BigIntStats } from "node:fs";
import { readdir, readlink, stat as statFile } from "node:fs/promises";
import { join } from "node:path";

import { compareText } from "@fairlead/model";
import { EdgeError, fileError } from "@fairlead/runtime";

import { quote } from "../quote.ts";

/** Most manifests of one folder. */
const FILES_MAX = 20_000;
/** Most folders below one another. */
const FOLDER_DEPTH_MAX = 32;
const STATS_AT_ONCE = 32;
/** A folder that is replaced while it is looked at is looked at anew so often. */
const SCANS_MAX = 4;
const MANIFEST_PATTERN = /\.(?:ya?ml|json)$/u;

/** One manifest as it was listed. */
export interface ListedFile {
  /** Relative to the source's folder. */
  readonly path: string;
  /** Equal stamps mean the same content: device, inode, size and times. */
  readonly stamp: string;
  readonly size: number;
}

/** A whole look at a folder. */
export interface Listing {
  /** By relative path, sorted. */
  readonly files: ReadonlyMap<string, ListedFile>;
  /** Identity by relative path; the source's folder itself is "". */
  readonly folders: ReadonlyMap<string, FolderIdentity>;
  /** Folders and files below the root that could not be looked at, with why. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/** What tells a folder from another one at the same path. */
export interface FolderIdentity {
  readonly device: string;
  readonly inode: string;
}

/** Why a folder could not be listed. */
export type ScanErrorCode = "NOT_A_FOLDER" | "UNREADABLE" | "TOO_MANY_FILES";

/** What stands at a path; follows links. For tests, where something happens between two calls. */
export type Stat = (path: string) => Promise<BigIntStats>;

interface Draft {
  readonly root: string;
  readonly stat: Stat;
  readonly files: Map<string, ListedFile>;
  readonly folders: Map<string, FolderIdentity>;
  readonly unreadable: Map<string, string>;
}

/**
 * Lists everything below `root`, of folders that stayed what they are meanwhile: of one that is
 * unmounted or replaced, the first half of its files and a list without the others would look as
 * if these had been deleted. Rejects with EdgeError<ScanErrorCode> when the root is unfit.
 */
export async function scanFolder(root: string, stat: Stat = statOf): Promise<Listing> {
  for (let scans = 0; scans < SCANS_MAX; scans += 1) {
    const listing = await scanOnce(root, stat);
    if (listing !== undefined) return listing;
  }
  const message = `cannot list ${root}: it is replaced again and again`;
  throw new EdgeError({ code: "UNREADABLE", message, retryable: true });
}

/** Undefined when another folder came in the place of one of them meanwhile. */
async function scanOnce(root: string, stat: Stat): Promise<Listing | undefined> {
  const draft: Draft = {
    root,
    stat,
    files: new Map(),
    folders: new Map(),
    unreadable: new Map(),
  };
  try {
    await scanInto(draft, { path: "", depth: 0 });
    if (await isReplacedSome(draft)) return undefined;
  } catch (error) {
    throw scanError(error, root);
  }
  const { folders, unreadable } = draft;
  const files = [...draft.files].toSorted(([a], [b]) => compareText(a, b));
  return { files: new Map(files), folders, unreadable };
}

async function isReplacedSome({ root, stat, folders }: Draft): Promise<boolean> {
  for (const [path, before] of folders) {
    try {
      const now = identityOf(await stat(join(root, path)));
      if (now.device !== before.device || now.inode !== before.inode) return true;
    } catch (error) {
      // A folder below that went is none that was replaced: the next look lacks it.
      if (path === "") throw error;
    }
  }
  return false;
}

function statOf(path: string): Promise<BigIntStats> {
  return statFile(path, { bigint: true });
}

function identityOf({ dev, ino }: BigIntStats): FolderIdentity {
  return { device: String(dev), inode: String(ino) };
}

async function scanInto(
  draft: Draft,
  at: { readonly path: string; readonly depth: number },
): Promise<void> {
  const { root } = draft;
  const folder = join(root, at.path);
  draft.folders.set(at.path, identityOf(await draft.stat(folder)));
  const entries = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => !entry.name.startsWith("."))
    .toSorted((a, b) => compareText(a.name, b.name));
  const manifests = entries.filter((entry) => MANIFEST_PATTERN.test(entry.name) && isLeaf(entry));
  for (let index = 0; index < manifests.length; index += STATS_AT_ONCE) {
    const some = manifests.slice(index, index + STATS_AT_ONCE);
    await Promise.all(some.map((entry) => listFile(draft, join(at.path, entry.name))));
    if (draft.files.size > FILES_MAX) throw tooManyFiles(root);
  }
  for (const entry of entries.filter((each) => each.isDirectory())) {
    const path = join(at.path, entry.name);
    if (at.depth + 1 > FOLDER_DEPTH_MAX) {
      draft.unreadable.set(path, `folders are nested deeper than ${FOLDER_DEPTH_MAX}`);
      continue;
    }
    try {
      await scanInto(draft, { path, depth: at.depth + 1 });
    } catch (error) {
      if (error instanceof EdgeError) throw error;
      noteUnreadable(draft, path, error);
    }
  }
}

function isLeaf(entry: Dirent): boolean {
  return entry.isFile() || entry.isSymbolicLink();
}

async function listFile(draft: Draft, path: string): Promise<void> {
  const { root } = draft;
  try {
    const stats = await draft.stat(join(root, path));
    if (!stats.isFile()) return;
    draft.files.set(path, { path, stamp: stampOf(stats), size: Number(stats.size) });
  } catch (error) {
    const target = await targetOf(join(root, path));
    if (target === undefined) noteUnreadable(draft, path, error);
    else draft.unreadable.set(path, danglingText(error, target));
  }
}

/** Where a link leads that is still there; undefined: it is none, or has vanished. */
async function targetOf(path: string): Promise<string | undefined> {
  return await readlink(path).catch(() => undefined);
}

function danglingText(error: unknown, target: string): string {
  const { code, message } = fileError(error, `cannot follow its link to ${quote(target)}`);
  return code === "NOT_FOUND" ? `it is a link to ${quote(target)}, which is not there` : message;
}

/** What vanished between the list and the look is no trouble: it is not there. */
function noteUnreadable(draft: Draft, path: string, error: unknown): void {
  const { code, message } = fileError(error, "cannot look at it");
  if (code !== "NOT_FOUND") draft.unreadable.set(path, message);
}

function stampOf(stats: BigIntStats): string {
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(":");
}

function tooManyFiles(root: string): EdgeError<ScanErrorCode> {
  const message = `cannot list ${root}: it has more than ${FILES_MAX} manifests`;
  return new EdgeError({ code: "TOO_MANY_FILES", message, retryable: true });
}

function scanError(error: unknown, root: string): EdgeError<ScanErrorCode> {
  if (error instanceof EdgeError) {
    return new EdgeError({ code: "TOO_MANY_FILES", message: error.message, retryable: true });
  }
  const isFile = error instanceof Error && "code" in error && error.code === "ENOTDIR";
  const { message } = fileError(error, `cannot list ${root}`);
  if (!isFile) {
    return new EdgeError({ code: "UNREADABLE", message, retryable: true, cause: error });
  }
  const words = `cannot list ${root}: it is a file and not a folder`;
  return new EdgeError({ code: "NOT_A_FOLDER", message: words, retryable: false, cause: error });
}

// Listens to what the kernel says of folders, as a hint to look again and nothing more: hints may
// be lost, doubled or late. One watcher a folder, as Node's recursive one puts a watcher on each
// file and follows links. Given a bounded number of folders; the slow rescan covers the rest.

import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";

import type { FolderIdentity } from "./scan.ts";

/** Most folders that are watched; below those, changes are found by the slow rescan. */
const WATCHES_MAX = 512;

/** Watches a changing set of folders. */
export interface FolderWatch extends Disposable {
  /**
   * Watches exactly these folders, by path relative to the root. Returns whether one of them was
   * not watched before: what happened there until now was not seen.
   */
  follow(folders: ReadonlyMap<string, FolderIdentity>): boolean;
}

/** How folders are watched. */
export interface FolderWatchOptions {
  readonly root: string;
  /**
   * Something happened. The path, relative to the root, is given when an entry of that name was
   * created, renamed or removed.
   */
  readonly onHint: (path: string | undefined) => void;
}

interface Watched {
  readonly watcher: FSWatcher;
  readonly identity: FolderIdentity;
}

/** Makes a watch that follows no folder yet. */
export function createFolderWatch(options: FolderWatchOptions): FolderWatch {
  const { root, onHint } = options;
  const watched = new Map<string, Watched>();

  function drop(path: string): void {
    watched.get(path)?.watcher.close();
    watched.delete(path);
  }

  function add(path: string, identity: FolderIdentity): boolean {
    try {
      const watcher = watch(join(root, path), { persistent: false });
      watcher.on("change", (event, name) => {
        const isNamed = event === "rename" && typeof name === "string" && name !== "";
        onHint(isNamed ? join(path, name) : undefined);
      });
      watcher.on("error", () => {
        drop(path);
        onHint(undefined);
      });
      watched.set(path, { watcher, identity });
      return true;
    } catch {
      // No watch left in the kernel, or the folder is gone: the slow rescan finds what happens.
      return false;
    }
  }

  return {
    follow: (folders) => {
      for (const [path, { identity }] of watched) {
        const now = folders.get(path);
        if (now?.inode !== identity.inode || now.device !== identity.device) drop(path);
      }
      let isNew = false;
      for (const [path, identity] of folders) {
        if (watched.size >= WATCHES_MAX) break;
        if (!watched.has(path)) isNew = add(path, identity) || isNew;
      }
      return isNew;
    },
    [Symbol.dispose]: () => {
      for (const path of watched.keys()) drop(path);
    },
  };
}
